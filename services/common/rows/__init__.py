"""Rows: fencing stamps, the local copy of a changelog, and the read views on it."""
