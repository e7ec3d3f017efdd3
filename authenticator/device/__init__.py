"""A phone in Python: a library for tests and load generators, and a terminal program."""
