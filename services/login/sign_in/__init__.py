"""Sign-in by password, with its limits."""
