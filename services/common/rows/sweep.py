"""Housekeeping: rows that are of no use any more are forgotten. Nothing is unsafe if this runs late or twice."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final, Generic

import structlog

from schemas.base import Message
from services.common.clock import now
from services.common.decisions import RowT
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 300.0
MOST_LOOKED_AT: Final = 20_000
"""How many rows a round looks at; the next one goes on from there. It takes half a second of CPU."""
AT_A_STRETCH: Final = 100
"""After so many rows other work has its turn."""


class Sweeper(Generic[RowT]):
    """Asks the owners of rows to forget those that are of no use any more."""

    def __init__(
        self,
        what: str,
        rows: View[RowT],
        forget: Callable[[RowT, datetime], Message | None],
        publisher: Publisher,
        *,
        most_at_once: int,
    ) -> None:
        """Take the parts that it needs.

        Args:
            what: What the rows are, for the log.
            rows: The rows.
            forget: Gives the command to forget a row, if it is of no use at a time.
            publisher: Publishes it.
            most_at_once: How many commands are given in one round.

        """
        self._what = what
        self._rows = rows
        self._forget = forget
        self._publisher = publisher
        self._most_at_once = most_at_once
        self._last = ""

    async def run(self) -> None:
        """Sweep now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                swept = await self.sweep()
            except UnavailableError:
                log.warning("the sweep cannot be done now, trying again later")
            else:
                log.info("swept", **{self._what: swept})

    async def sweep(self) -> int:
        """Do one round.

        Returns:
            How many rows were asked to be forgotten.

        Raises:
            UnavailableError: If the view is catching up, or Kafka does not take a command.

        """
        swept = 0
        for looked_at, (key, row) in enumerate(self._rows.items(after=self._last), start=1):
            command = self._forget(row, now())
            if command is not None:
                await self._publisher.publish_command(command)
                swept += 1
            self._last = key
            if looked_at >= MOST_LOOKED_AT or swept >= self._most_at_once:
                return swept
            if looked_at % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
        self._last = ""
        return swept
