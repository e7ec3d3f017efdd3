"""Housekeeping: rows that are of no use any more are forgotten. Nothing is unsafe if this runs late or twice."""

import asyncio
from typing import Final, Generic

import structlog

from services.common.clock import now
from services.common.decisions import RowT
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.table import Sweep
from services.common.rows.view import View

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 300.0
MOST_LOOKED_AT: Final = 20_000
"""How many rows a round looks at; the next one goes on from there. It takes half a second of CPU."""
AT_A_STRETCH: Final = 100
"""After so many rows other work has its turn."""


class Sweeper(Generic[RowT]):
    """Asks the owners of rows to forget those that are of no use any more."""

    def __init__(self, name: str, sweep: Sweep, rows: View[RowT], policy: object, publisher: Publisher) -> None:
        """Prepare it.

        Args:
            name: What the rows are, for the log.
            sweep: Which rows are forgotten, and how many in a round.
            rows: The rows.
            policy: What the rows' owners decide with.
            publisher: Publishes the commands to forget.

        """
        self._name = name
        self._sweep = sweep
        self._rows = rows
        self._policy = policy
        self._publisher = publisher
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
                log.info("swept", table=self._name, rows=swept)

    async def sweep(self) -> int:
        """Do one round.

        Returns:
            How many rows were asked to be forgotten.

        Raises:
            UnavailableError: If the view is catching up, or Kafka does not take a command.

        """
        swept = 0
        for looked_at, (key, row) in enumerate(self._rows.items(after=self._last), start=1):
            command = self._sweep.forget(row, now(), self._policy)
            if command is not None:
                await self._publisher.publish_command(command)
                swept += 1
            self._last = key
            if looked_at >= MOST_LOOKED_AT or swept >= self._sweep.most_at_once:
                return swept
            if looked_at % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
        self._last = ""
        return swept
