"""Replays the accounts' history under other limits."""
