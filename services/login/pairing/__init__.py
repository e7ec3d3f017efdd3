"""Enrolment and pairing: the pages, and the codes that admit to the first pairing."""
