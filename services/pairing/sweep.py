"""Housekeeping: phrases that ended long ago are forgotten. Nothing is unsafe if this runs late or twice."""

import asyncio
from typing import Final

import structlog

from schemas.pairing_commands import RetirePhrase
from services.common.clock import now
from services.common.publisher import Publisher, UnavailableError
from services.common.views import View
from services.pairing.domain.phrases import KEPT
from services.pairing.domain.rows import Phrase

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 300.0
MOST_AT_ONCE: Final = 1000


class Sweeper:
    """Asks the owners to forget phrases that are of no use any more."""

    def __init__(self, phrases: View[Phrase], publisher: Publisher) -> None:
        """Take the parts that it needs."""
        self._phrases = phrases
        self._publisher = publisher

    async def run(self) -> None:
        """Sweep now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                swept = await self.sweep()
            except UnavailableError:
                log.warning("kafka does not take the sweep, trying again later")
            else:
                log.info("swept", phrases=swept)

    async def sweep(self) -> int:
        """Ask for one round of forgetting.

        Returns:
            How many phrases were asked to be forgotten.

        """
        moment = now()
        old = [phrase for phrase in self._phrases.all() if moment > phrase.end + KEPT][:MOST_AT_ONCE]
        for phrase in old:
            await self._publisher.command(
                RetirePhrase(phrase_digest=phrase.phrase_digest, device_id=phrase.device_id, at=moment)
            )
        return len(old)
