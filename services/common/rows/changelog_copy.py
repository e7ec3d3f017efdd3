"""The copy of a table's changelog on this instance's disk, which follows the topic while the instance runs."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import structlog

from services.common.kafka.publisher import UnavailableError
from services.common.progress import Progress, ProgressLog
from services.common.rows.changelog_reader import ChangelogReader, LagStats, RebuildError
from services.common.rows.store import RowStore, StoreDamagedError, StoreError, StoreInUseError

log = structlog.get_logger(__name__)
PAUSE_SECONDS: Final = 2.0
ResultT = TypeVar("ResultT")


class ChangelogCopy:
    """The newest row of each key of a changelog.

    Attributes:
        ready: Set once the copy contains everything that the topic had at the start.
        progress: The progress until then.
        lag_stats: How the copy keeps up with the topic.
        reason: The disk's error; empty if there is none.

    """

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        directory: Path,
        *,
        on_ready: Callable[[], None],
        on_change: Callable[[str], None],
    ) -> None:
        """Prepare the copy; `run` follows the topic.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            topic: The changelog topic's full name.
            directory: The copy's own directory.
            on_ready: Called when the copy becomes ready.
            on_change: Takes each key whose row may have changed while the copy is ready.

        """
        self._bootstrap = bootstrap
        self._topic = topic
        self._directory = directory
        self._on_ready = on_ready
        self._on_change = on_change
        self._store: RowStore | None = None
        self._read_error: asyncio.Future[None] | None = None
        self.ready = asyncio.Event()
        self.progress = Progress(0, 1)
        self.lag_stats = LagStats()
        self.reason = ""

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None.

        Raises:
            UnavailableError: While the copy is not ready.

        """
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
        return self._read(lambda store: store.page(after, limit))

    async def run(self) -> None:
        """Follow the topic until cancelled.

        Raises:
            StoreInUseError: If another process uses the directory.

        """
        while True:
            try:
                await self._follow()
            except StoreInUseError:
                raise
            except (RebuildError, StoreDamagedError) as error:
                log.warning("a read view is rebuilt from its topic", topic=self._topic, reason=str(error))
                shutil.rmtree(self._directory)
            except StoreError as error:
                self.reason = str(error)
                log.error("a read view cannot store its rows, retrying", reason=self.reason)  # noqa: TRY400 - the text suffices
                await asyncio.sleep(PAUSE_SECONDS)

    async def _follow(self) -> None:
        self._store = RowStore(self._directory)
        self._read_error = read_error = asyncio.get_running_loop().create_future()
        self._progress_log = ProgressLog("a read view is catching up", topic=self._topic)
        reader = ChangelogReader(
            self._bootstrap,
            self._topic,
            self._store,
            self.lag_stats,
            on_progress=self._update_progress,
            on_change=self._notify,
        )
        reading = asyncio.create_task(reader.run())
        try:
            await asyncio.wait({reading, read_error}, return_when=asyncio.FIRST_COMPLETED)
            for each in (read_error, reading):
                if each.done():
                    each.result()
        finally:
            self.ready.clear()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            store, self._store = self._store, None
            store.close()

    def _read(self, read: Callable[[RowStore], ResultT]) -> ResultT:
        if self._store is None or not self.ready.is_set():
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
            self.reason = ""
            self.ready.set()
            log.info("a read view is up to date", topic=self._topic, records=progress.total)
            self._on_ready()
        else:
            self._progress_log.update(progress)

    def _notify(self, key: str) -> None:
        if self.ready.is_set():
            self._on_change(key)
