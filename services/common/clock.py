"""The only place where services read the clock and generate ids; deciders take both from the event."""

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a new id: 128 random bits, base64url, 22 characters."""
    return secrets.token_urlsafe(16)


def new_token() -> str:
    """Return a new secret token: 256 random bits, base64url, 43 characters."""
    return secrets.token_urlsafe(32)
