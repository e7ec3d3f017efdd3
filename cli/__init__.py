"""The command ``countersign``: what operators and administrators do from a terminal."""
