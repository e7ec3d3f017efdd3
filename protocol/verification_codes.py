"""Verification codes: time-based one-time passwords of six digits, a new one every 30 s (RFC 6238, SHA-1), by pyotp."""

import base64
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Final

import pyotp

from protocol.typed_codes import DECIMAL, read_code

DIGITS: Final = 6
STEP_SECONDS: Final = 30
DRIFT_STEPS: Final = 1
"""Tolerated clock drift in each direction, in time steps (RFC 6238 section 5.2)."""


def step_at(moment: datetime) -> int:
    """Return the time step of a moment: whole steps of 30 s since 1970 (RFC 6238 section 4.2)."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step, six digits, under the shared secret."""
    return _generator(secret).at(datetime.fromtimestamp(step * STEP_SECONDS, UTC))


def find_step(secret: bytes, code: str, moment: datetime) -> int | None:
    """Return the time step of a code, at most one step from a moment; the newest if several match, None if none does.

    Args:
        secret: The shared secret.
        code: The text as typed (`typed_codes`).
        moment: When the code was typed.

    """
    digits = read_code(code, DIGITS, DECIMAL)
    if digits is None:
        return None
    now = step_at(moment)
    steps = range(now + DRIFT_STEPS, now - DRIFT_STEPS - 1, -1)
    matching = [step for step in steps if compare_digest(code_at(secret, step).encode(), digits.encode())]
    return matching[0] if matching else None


def _generator(secret: bytes) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(secret).decode(), digits=DIGITS, interval=STEP_SECONDS)
