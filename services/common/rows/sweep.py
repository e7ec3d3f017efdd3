"""Housekeeping: deletes expired rows. A late or repeated sweep is harmless."""

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
ROUND_ROWS: Final = 20_000
"""Number of rows that a round checks in half a second of CPU; the next round continues there."""
YIELD_ROWS: Final = 100
"""Number of rows between two yields to the event loop."""


class Sweeper(Generic[RowT]):
    """Sends the owners commands to forget expired rows."""

    def __init__(self, name: str, sweep: Sweep, rows: View[RowT], policy: object, publisher: Publisher) -> None:
        """Prepare the sweeper.

        Args:
            name: The table's name, for the log.
            sweep: Which rows expire, and the size of a batch.
            rows: The table's view.
            policy: The service's policy.
            publisher: Publishes the commands.

        """
        self._name = name
        self._sweep = sweep
        self._rows = rows
        self._policy = policy
        self._publisher = publisher
        self._last = ""

    async def run(self) -> None:
        """Sweep every five minutes until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                forgotten = await self.sweep()
            except UnavailableError:
                log.warning("cannot sweep while kafka or the view is unavailable, retrying", table=self._name)
            else:
                log.info("sweep finished", table=self._name, rows=forgotten)

    async def sweep(self) -> int:
        """Run one round.

        Returns:
            The number of commands sent.

        Raises:
            UnavailableError: If the view is catching up, or Kafka does not accept a command.

        """
        forgotten = 0
        for checked, (key, row) in enumerate(self._rows.items(after=self._last), start=1):
            command = self._sweep.forget(row, now(), self._policy)
            if command is not None:
                await self._publisher.publish_command(command)
                forgotten += 1
            self._last = key
            if checked >= ROUND_ROWS or forgotten >= self._sweep.batch_size:
                return forgotten
            if checked % YIELD_ROWS == 0:
                await asyncio.sleep(0)
        self._last = ""
        return forgotten
