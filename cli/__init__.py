"""The command ``countersign`` for operators and administrators."""
