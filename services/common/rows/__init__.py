"""Rows: their stamps, the local copy of a changelog, and the views that observe it."""
