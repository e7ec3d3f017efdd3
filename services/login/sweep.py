"""Housekeeping: sources of guesses that were quiet for long are forgotten. Nothing is unsafe if it runs late."""

import asyncio
from typing import Final

import structlog

from schemas.login_guesses import ForgetGuesses
from services.common.clock import now
from services.common.publisher import Publisher, UnavailableError
from services.common.views import View
from services.login.domain.guesses import Guesses
from services.login.domain.rules import QUIET

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 300.0
MOST_AT_ONCE: Final = 5000


class Sweeper:
    """Asks the owners to forget sources that are of no use any more."""

    def __init__(self, guesses: View[Guesses], publisher: Publisher) -> None:
        """Take the parts that it needs."""
        self._guesses = guesses
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
                log.info("swept", guesses=swept)

    async def sweep(self) -> int:
        """Ask for one round of forgetting.

        Returns:
            How many sources were asked to be forgotten.

        """
        moment = now()
        old = [guesses for guesses in self._guesses.all() if moment > guesses.last_at + QUIET][:MOST_AT_ONCE]
        for guesses in old:
            await self._publisher.command(ForgetGuesses(source=guesses.source, at=moment))
        return len(old)
