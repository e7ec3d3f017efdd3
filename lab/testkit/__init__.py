"""Test people and their browsers, for all programs that play somebody who signs in."""
