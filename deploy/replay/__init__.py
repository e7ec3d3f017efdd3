"""Decides again what the topics hold: to audit that all of it follows, and to rehearse other settings on it."""
