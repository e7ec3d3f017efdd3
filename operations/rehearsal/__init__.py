"""Decides the accounts' history again under other limits."""
