"""Measures how fast Countersign is, beside the floors of what it stands on, and two revisions in turns."""
