"""Housekeeping: rows that are of no use any more are forgotten. Nothing is unsafe if this runs late or twice."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Final

import structlog

from schemas.base import Message
from services.common.clock import now
from services.common.publisher import Publisher, UnavailableError

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 300.0


class Sweeper:
    """Asks the owners of rows to forget those that are of no use any more."""

    def __init__(
        self, what: str, forget: Callable[[datetime], Iterable[Message]], publisher: Publisher, *, most_at_once: int
    ) -> None:
        """Take the parts that it needs.

        Args:
            what: What the rows are, for the log.
            forget: Gives the commands to forget what is of no use at a time.
            publisher: Publishes them.
            most_at_once: How many of them are given in one round.

        """
        self._what = what
        self._forget = forget
        self._publisher = publisher
        self._most_at_once = most_at_once

    async def run(self) -> None:
        """Sweep now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                swept = await self.sweep()
            except UnavailableError:
                log.warning("kafka does not take the sweep, trying again later")
            else:
                log.info("swept", **{self._what: swept})

    async def sweep(self) -> int:
        """Ask for one round of forgetting.

        Returns:
            How many rows were asked to be forgotten.

        """
        commands = tuple(islice(self._forget(now()), self._most_at_once))
        for command in commands:
            await self._publisher.command(command)
        return len(commands)
