"""Measures a deployment at any size: accounts and phones by seed, people who wait, sign-ins timed."""
