"""Which phrases are forgotten: those that ended long ago."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas.pairing_commands import RetirePhrase
from services.common.views import View
from services.pairing.domain.phrases import KEPT
from services.pairing.domain.rows import Phrase

MOST_AT_ONCE: Final = 1000


def ended_phrases(phrases: View[Phrase], at: datetime) -> Iterator[RetirePhrase]:
    """Give the commands to forget the phrases that are of no use at a time."""
    return (
        RetirePhrase(phrase_digest=row.phrase_digest, device_id=row.device_id, at=at)
        for row in phrases.all()
        if at > row.end + KEPT
    )
