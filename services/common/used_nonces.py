"""The nonces that a device has used: kept in its own row, so that one owner decides what is a replay."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from protocol.signed_requests import TOLERANCE_SECONDS
from schemas.base import Moment

KEPT_SECONDS: Final = 2 * TOLERANCE_SECONDS
MOST_KEPT: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedNonce:
    """A nonce that was used."""

    nonce: str
    at: Moment


def recent_nonces(used: tuple[UsedNonce, ...], at: datetime) -> tuple[UsedNonce, ...]:
    """Return those that could still be recognised, so that a replay of theirs must be known."""
    oldest = at - timedelta(seconds=KEPT_SECONDS)
    return tuple(each for each in used if each.at >= oldest)


def is_used(used: tuple[UsedNonce, ...], nonce: str) -> bool:
    """Tell whether a nonce was used before."""
    return any(each.nonce == nonce for each in used)
