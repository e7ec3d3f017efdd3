"""The copy of a table's changelog on this instance's disk, which follows the topic while the instance runs."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import structlog

from services.common.kafka.log import ChangelogTopic
from services.common.kafka.partitions import is_misrouted
from services.common.kafka.publisher import UnavailableError
from services.common.progress import Progress, ProgressLog
from services.common.rows.changelog import Changes, Judged, PartitionState
from services.common.rows.changelog_reader import ChangelogReader, LagStats, RebuildError
from services.common.rows.fence import Fence
from services.common.rows.store import Disk, RowStore, StoreDamagedError, StoreError

log = structlog.get_logger(__name__)
ResultT = TypeVar("ResultT")


class CopyLostError(Exception):
    """The copy is read anew, so what was awaited of it will not come."""


class ChangelogCopy:
    """The newest row that counts of each key of a changelog.

    Attributes:
        topic: The changelog topic.
        ready: Set once the copy contains everything that the topic had at the start.
        progress: The progress until then.
        lag_stats: How the copy keeps up with the topic.

    """

    def __init__(
        self,
        topic: ChangelogTopic,
        disk: Disk,
        *,
        on_ready: Callable[[], None],
        on_change: Callable[[str], None],
    ) -> None:
        """Prepare the copy; `run` follows the topic.

        Args:
            topic: The changelog topic.
            disk: Where the copy is kept.
            on_ready: Called when the copy becomes ready.
            on_change: Takes each key whose row has changed while the copy is ready.

        """
        self.topic = topic
        self._disk = disk
        self._on_ready = on_ready
        self._on_change = on_change
        self._store: RowStore | None = None
        self._reader: ChangelogReader | None = None
        self._read_error: asyncio.Future[None] | None = None
        self._watchers: list[Callable[[int, Changes], None]] = []
        self._expected: dict[tuple[int, bytes], tuple[Judged, asyncio.Future[bool]]] = {}
        self.ready = asyncio.Event()
        self.progress = Progress(0, 1)
        self.lag_stats = LagStats()

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None.

        Raises:
            UnavailableError: While the copy is not ready.

        """
        if not self.ready.is_set():
            raise UnavailableError
        return self._read(lambda store: store.get(key))

    @property
    def size(self) -> int:
        """RocksDB's estimate of the number of rows; 0 while the copy is not ready."""
        return self._store.size() if self._store is not None and self.ready.is_set() else 0

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys; see `RowStore.page`.

        Raises:
            UnavailableError: While the copy is not ready.

        """
        if not self.ready.is_set():
            raise UnavailableError
        return self._read(lambda store: store.page(after, limit))

    def fence(self, partition: int) -> Fence:
        """Return what stands in a partition, as far as it has been read.

        Raises:
            UnavailableError: If the store is closed.

        """
        return self._read(lambda store: store.states.get(partition, PartitionState()).fence)

    def void_keys(self, partition: int) -> list[bytes]:
        """Return the keys with a void record on top, in order; those that a repartition took elsewhere are left out.

        Raises:
            UnavailableError: If the topic is not being read.

        """
        partitions = self._require_reader().partitions
        keys = self._read(lambda store: store.void.get(partition, {}))
        return sorted(key for key in keys if not is_misrouted(key, partition, partitions))

    def has_void(self, partition: int, key: bytes) -> bool:
        """Return whether a void record lies on top of a key's row.

        Raises:
            UnavailableError: If the store is closed.

        """
        return self._read(lambda store: key in store.void.get(partition, {}))

    def old_marks(self, partition: int) -> list[bytes]:
        """Return the keys of marks that are older than the compaction lag, in order.

        Raises:
            UnavailableError: If the topic is not being read.

        """
        before = (time.time() - self._require_reader().compaction_lag_seconds) * 1000
        marks = self._read(lambda store: store.marks.get(partition, {}))
        return sorted(key for key, at in marks.items() if at < before)

    def expect(self, partition: int, record: Judged) -> asyncio.Future[bool]:
        """Return a future of whether a record counts, once it is read back; one at a time for a key.

        The future raises `CopyLostError` if the copy is read anew.
        """
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._store is None:
            future.set_exception(CopyLostError())
        else:
            self._expected[partition, record.key] = record, future
        return future

    def expect_no_more(self, partition: int, record: Judged) -> None:
        """Forget that a record is expected, if it still is."""
        expected = self._expected.get((partition, record.key))
        if expected is not None and expected[0] is record:
            del self._expected[partition, record.key]

    def watch(self, on_changes: Callable[[int, Changes], None]) -> None:
        """Have a partition's changes reported, once they are in the store."""
        self._watchers.append(on_changes)

    async def run(self) -> None:
        """Follow the topic until cancelled.

        Raises:
            StoreInUseError: If another process uses the directory.
            StoreError: If the disk does not take the rows, or does not give them.

        """
        while True:
            try:
                await self._follow()
            except (RebuildError, StoreDamagedError) as error:
                log.warning("a copy of rows is rebuilt from its topic", topic=self.topic.name, reason=str(error))
                self._disk.drop()

    async def _follow(self) -> None:
        self._store = self._disk.open()
        self._read_error = read_error = asyncio.get_running_loop().create_future()
        self._progress_log = ProgressLog("a copy of rows is catching up", topic=self.topic.name)
        self._reader = ChangelogReader(
            self.topic, self._store, self.lag_stats, on_progress=self._update_progress, on_changes=self._notify
        )
        reading = asyncio.create_task(self._reader.run())
        try:
            await asyncio.wait({reading, read_error}, return_when=asyncio.FIRST_COMPLETED)
            for each in (read_error, reading):
                if each.done():
                    each.result()
        finally:
            self.ready.clear()
            self._reader = None
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            store, self._store = self._store, None
            store.close()
            for _record, future in self._expected.values():
                if not future.done():
                    future.set_exception(CopyLostError())
                    future.exception()  # whoever waited may be gone as well
            self._expected.clear()

    def _require_reader(self) -> ChangelogReader:
        if self._reader is None or not self._reader.partitions:
            raise UnavailableError
        return self._reader

    def _read(self, read: Callable[[RowStore], ResultT]) -> ResultT:
        if self._store is None:
            raise UnavailableError
        try:
            return read(self._store)
        except StoreError as error:
            self.ready.clear()
            if self._read_error is not None and not self._read_error.done():
                self._read_error.set_exception(error)
            raise UnavailableError from error

    def _update_progress(self, progress: Progress) -> None:
        self.progress = progress
        if progress.complete:
            self.ready.set()
            log.info("a copy of rows is up to date", topic=self.topic.name, records=progress.total)
            self._on_ready()
        else:
            self._progress_log.update(progress)

    def _notify(self, partition: int, changes: Changes) -> None:
        for judged in changes.judged:
            expected = self._expected.get((partition, judged.key))
            if expected is not None and (expected[0].stamp, expected[0].value) == (judged.stamp, judged.value):
                del self._expected[partition, judged.key]
                if not expected[1].done():
                    expected[1].set_result(judged.counts)
        for watcher in self._watchers:
            watcher(partition, changes)
        if self.ready.is_set():
            for key in changes.rows:
                self._on_change(key.decode())
