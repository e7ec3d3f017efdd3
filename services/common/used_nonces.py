"""Replay protection: a device's row keeps the nonces that the device used, so that one owner detects replays."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from protocol.signed_requests import TOLERANCE_SECONDS
from schemas.base import Moment

NONCE_SECONDS: Final = 2 * TOLERANCE_SECONDS
MAX_NONCES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedNonce:
    """A nonce, and the time of the request that used it."""

    nonce: str
    at: Moment


def recent_nonces(used: tuple[UsedNonce, ...], at: datetime) -> tuple[UsedNonce, ...]:
    """Return the nonces that are still valid; older ones are rejected by their age."""
    cutoff = at - timedelta(seconds=NONCE_SECONDS)
    return tuple(each for each in used if each.at >= cutoff)


def is_used(used: tuple[UsedNonce, ...], nonce: str) -> bool:
    """Return whether a nonce was used before."""
    return any(each.nonce == nonce for each in used)
