"""Verification codes, recovery codes and authenticator apps."""
