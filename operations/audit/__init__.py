"""Decides again what the topics hold, and names what does not follow."""
