"""Which phrases are forgotten: those that ended long ago."""

from datetime import datetime
from typing import Final

from schemas.pairing_commands import RetirePhrase
from services.pairing.domain.phrase import KEPT
from services.pairing.domain.rows import Phrase

MOST_AT_ONCE: Final = 1000


def forget_ended(row: Phrase, at: datetime) -> RetirePhrase | None:
    """Give the command to forget a phrase, if it is of no use at a time."""
    if at <= row.end + KEPT:
        return None
    return RetirePhrase(phrase_digest=row.phrase_digest, device_id=row.device_id, at=at)
