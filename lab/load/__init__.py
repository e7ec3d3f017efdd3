"""Measures a deployment at a size that nobody types in: accounts and phones by seed, people who wait, logins timed."""
