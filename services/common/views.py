"""Read views: what the owners decided, as any instance sees it in the changelog, and waking whoever waits for a key.

A view tails a changelog topic without a consumer group. What it shows, Kafka has.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Generic

import structlog
from aiokafka import ConsumerRecord

from services.common.changelog import is_newer
from services.common.clock import now
from services.common.decisions import RowT
from services.common.publisher import UnavailableError
from services.common.tail import tail
from services.common.waiters import Waiters

log = structlog.get_logger(__name__)


class View(Generic[RowT]):
    """The newest row of each key of one table.

    Attributes:
        topic: The changelog topic's full name.
        lag: How many records it had yet to read, when it last looked.
        stale: How many stale rows it left aside since it caught up.
        delays: How many records it read since then.
        delay_seconds: The sum of their times from the owner's writing to here.

    """

    def __init__(self, bootstrap: str, topic: str, model: type[RowT]) -> None:
        """Prepare it.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            topic: The changelog topic's full name.
            model: The rows' model.

        """
        self._bootstrap = bootstrap
        self.topic = topic
        self._model = model
        self._rows: dict[str, bytes] = {}
        self._waiters = Waiters()
        self._ready = asyncio.Event()
        self.lag = 0
        self.stale = 0
        self.delays = 0
        self.delay_seconds = 0.0

    @property
    def ready(self) -> bool:
        """True once it has caught up with what was in the topic when it started."""
        return self._ready.is_set()

    @property
    def size(self) -> int:
        """How many rows it shows."""
        return len(self._rows)

    async def wait_ready(self) -> None:
        """Wait until it has caught up."""
        await self._ready.wait()

    def get(self, key: str) -> RowT | None:
        """Return a key's row, or None.

        Raises:
            UnavailableError: While it catches up: what it does not know yet, it must not deny.

        """
        if not self.ready:
            raise UnavailableError
        value = self._rows.get(key)
        return None if value is None else self._model.model_validate_json(value)

    def all(self) -> Iterator[RowT]:
        """Iterate over all rows."""
        for value in tuple(self._rows.values()):
            yield self._model.model_validate_json(value)

    def watch(self, key: str, changed: asyncio.Event | None = None) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set whenever the key's row changes; clear it before looking at the row."""
        return self._waiters.watch(key, changed)

    async def wait_for(self, key: str, holds: Callable[[RowT], bool], timeout_seconds: float) -> RowT | None:
        """Wait until something holds of a key's row.

        Returns:
            The row, or None if the time ran out.

        """
        with self.watch(key) as changed:
            try:
                async with asyncio.timeout(timeout_seconds):
                    while True:
                        changed.clear()
                        row = self.get(key)
                        if row is not None and holds(row):
                            return row
                        await changed.wait()
            except TimeoutError:
                return None

    async def outcome(self, key: str, event_id: str, timeout_seconds: float = 5.0) -> tuple[str, RowT] | None:
        """Wait until a key's owner has decided an event.

        Returns:
            The outcome and the row, or None if the time ran out.

        """
        row = await self.wait_for(key, lambda row: row.outcome_of(event_id) is not None, timeout_seconds)
        outcome = None if row is None else row.outcome_of(event_id)
        return None if row is None or outcome is None else (outcome, row)

    async def run(self) -> None:
        """Tail the topic until cancelled."""
        try:
            await tail(
                self._bootstrap,
                self.topic,
                self._apply,
                on_caught_up=self._catch_up,
                on_lag=self._note_lag,
                skip_astray=True,
            )
        finally:
            self._ready.clear()

    def _catch_up(self) -> None:
        self._ready.set()
        log.info("view is up to date", topic=self.topic, rows=self.size)

    def _note_lag(self, records: int) -> None:
        self.lag = records

    def _apply(self, record: ConsumerRecord) -> None:
        if record.key is None:
            return
        key = record.key.decode()
        if not is_newer(record.value, self._rows.get(key), record.headers):
            log.warning("a stale row was left aside", topic=self.topic, offset=record.offset)
            self.stale += self.ready
        elif record.value is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = record.value
        self._waiters.wake(key)
        if self.ready:
            self.delays += 1
            self.delay_seconds += max(0.0, now().timestamp() - record.timestamp / 1000)
