"""Read views (the read model of CQRS): every instance observes the owners' rows and wakes the tasks that wait for one.

A view tails a changelog topic without a consumer group, so it shows only rows that Kafka has. Its rows are on disk, so
that a restart continues at the last position (docs/adr/0022-views-on-disk.md).
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Generic

import structlog
from pydantic import ValidationError

from services.common.decisions import RowT
from services.common.kafka.log import ChangelogTopic
from services.common.kafka.partitions import part_key
from services.common.progress import Progress
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.codec import RowCache, read_row
from services.common.rows.store import RocksDisk
from services.common.waiters import Waiters

log = structlog.get_logger(__name__)
PAGE_ROWS: Final = 500


def _log_unreadable(key: str) -> None:
    log.warning("skipped a row that cannot be decoded", key=key)


class View(Generic[RowT]):
    """The newest row of each key of one table.

    Attributes:
        topic: The changelog topic's full name.
        copy: The rows.
        decoded: Decodes them, for the owner as well.
        lag_stats: How the view keeps up with the topic.

    """

    def __init__(self, topic: ChangelogTopic, model: type[RowT], directory: Path) -> None:
        """Prepare the view; `run` follows the topic.

        Args:
            topic: The changelog topic.
            model: The rows' type.
            directory: The parent of its own directory, which has the topic's name; for one process at a time.

        """
        self.topic = topic.name
        self._model = model
        self.decoded = RowCache(model)
        self._waiters = Waiters()
        self.copy = ChangelogCopy(
            topic, RocksDisk(directory / topic.name), on_ready=self._waiters.wake_all, on_change=self._waiters.wake
        )
        self.lag_stats = self.copy.lag_stats

    @property
    def ready(self) -> bool:
        """True once it contains everything that the topic had at the start, and while it follows the topic."""
        return self.copy.ready.is_set()

    @property
    def progress(self) -> Progress:
        """The progress of reading what the topic had at the start."""
        return self.copy.progress

    @property
    def reason(self) -> str:
        """Why it is not ready, as text for the operator; empty when it is ready."""
        return "" if self.ready else f"read views are catching up: {self.progress.percent} %"

    @property
    def size(self) -> int:
        """The estimated number of rows; 0 while it is not ready."""
        return self.copy.size

    async def wait_ready(self) -> None:
        """Wait until it has caught up."""
        await self.copy.ready.wait()

    def get(self, key: str) -> RowT | None:
        """Return a key's row, or None.

        Raises:
            UnavailableError: While it catches up, since it must not report a row as missing that it has not read yet.

        """
        encoded = key.encode()
        value = self.copy.get(encoded)
        return None if value is None else self.decoded.read(encoded, value)

    def all(self, on_unreadable: Callable[[str], None] = _log_unreadable) -> Iterator[RowT]:
        """Iterate over all rows in the order of their keys; see `items`."""
        return (row for _key, row in self.items(on_unreadable=on_unreadable))

    def keys(self) -> Iterator[str]:
        """Iterate over all keys in order, without decoding the rows; see `items`."""
        return (key.decode() for key, _row in self._pages(b""))

    def items(
        self, after: str = "", on_unreadable: Callable[[str], None] = _log_unreadable
    ) -> Iterator[tuple[str, RowT]]:
        """Iterate over keys and rows in the order of the keys; each row is read when the iteration reaches it.

        A million rows take a minute, so the caller yields to the event loop in between.

        Args:
            after: The key to continue after; default the beginning.
            on_unreadable: Takes the key of each row that cannot be decoded; the default logs it.

        Raises:
            UnavailableError: While it catches up.

        """
        for key, value in self._pages(after.encode()):
            try:
                row = read_row(self._model, value)
            except ValidationError:
                on_unreadable(key.decode())
            else:
                yield key.decode(), row

    def parts(self, key: str, names: Sequence[str]) -> list[bytes | None]:
        """Return parts of a key's row by their names; None for one that is not there.

        Raises:
            UnavailableError: While it catches up.

        """
        return [self.copy.get(part_key(key.encode(), name)) for name in names]

    def watch(self, key: str, changed: asyncio.Event | None = None) -> AbstractContextManager[asyncio.Event]:
        """Yield an event that is set on every change of the key's row; clear it before reading the row."""
        return self._waiters.watch(key, changed)

    async def wait_until(self, key: str, holds: Callable[[RowT], bool], timeout_seconds: float) -> RowT | None:
        """Wait until a key's row meets a condition.

        Returns:
            The row, or None after the timeout.

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

    async def await_outcome(self, key: str, event_id: str, timeout_seconds: float = 5.0) -> tuple[str, RowT] | None:
        """Wait until a key's owner has decided an event.

        Returns:
            The outcome and the row, or None after the timeout.

        """
        row = await self.wait_until(key, lambda row: row.outcome_of(event_id) is not None, timeout_seconds)
        outcome = None if row is None else row.outcome_of(event_id)
        return None if row is None or outcome is None else (outcome, row)

    async def run(self) -> None:
        """Tail the topic until cancelled.

        Raises:
            StoreInUseError: If another process uses its directory.
            StoreError: If the disk does not take the rows, or does not give them.

        """
        await self.copy.run()

    def _pages(self, last: bytes) -> Iterator[tuple[bytes, bytes]]:
        while page := self.copy.page(last, PAGE_ROWS):
            yield from page
            last = page[-1][0]
