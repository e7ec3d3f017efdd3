"""Reads a table's changelog into its copy: from where the copy stands, and only while that fits the topic."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from services.common.kafka.log import ChangelogTopic, LogReader, LogRecord
from services.common.kafka.tail import END_OFFSETS_SECONDS, tail
from services.common.kafka.topic_facts import TopicFacts
from services.common.progress import Progress
from services.common.rows.changelog import Changes, PartitionState, adopt, lost_to_compaction, read_records
from services.common.rows.store import Origin, RowStore

log = structlog.get_logger(__name__)
TRUSTED_SHARE: Final = 0.9
"""How old a copy may be, as a share of the time for which a topic keeps tombstones. The rest allows for clock skew."""


@dataclass(slots=True)
class LagStats:
    """How a copy keeps up with its topic; records that were there before it was ready do not count.

    Attributes:
        lag: The number of unread records at the last look.
        void: The number of records that did not count: their writer had lost the partition.
        delays: The number of records read.
        delay_seconds: The sum of their delays, from the owner's write to the copy's.

    """

    lag: int = 0
    void: int = 0
    delays: int = 0
    delay_seconds: float = 0.0


class RebuildError(Exception):
    """The copy cannot be continued. The text says why."""


class ChangelogReader:
    """One reading of a changelog into a copy."""

    def __init__(  # noqa: PLR0913 - the topic, the copy, and one callback for each kind of news
        self,
        topic: ChangelogTopic,
        store: RowStore,
        stats: LagStats,
        *,
        on_progress: Callable[[Progress], None],
        on_changes: Callable[[int, Changes], None],
        on_read: Callable[[], None],
    ) -> None:
        """Prepare the reading.

        Args:
            topic: The changelog topic.
            store: The copy.
            stats: Counts how the copy keeps up.
            on_progress: Takes the progress until the copy has everything that was there at the start.
            on_changes: Takes a partition and its changes, once they are in the store.
            on_read: Called after each read, with records or without.

        """
        self._topic = topic
        self._store = store
        self._stats = stats
        self._on_progress = on_progress
        self._on_changes = on_changes
        self._on_read = on_read
        self._caught_up = False
        self._reader: LogReader | None = None

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            RebuildError: If the copy does not fit the topic, or no longer does.
            StoreError: If the store does not take the rows.

        """
        facts = await self._topic.facts()
        self._facts = facts
        self._trusted_seconds = max(facts.delete_retention_seconds * TRUSTED_SHARE, 3 * END_OFFSETS_SECONDS)
        self._require_origin(facts)
        self._reader = reader = await self._topic.reader()
        try:
            await self._seek(reader)
            reading = tail(
                reader,
                self._apply,
                on_read=self._on_read,
                on_progress=self._update_progress,
                on_caught_up=self._confirm_current,
                on_lag=self._update_lag,
            )
            tasks = (asyncio.create_task(reading), asyncio.create_task(self._watch_identity()))
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task in done:
                        task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._reader = None
            await reader.stop()

    async def position(self, partition: int) -> int | None:
        """Return the offset of a partition's next record to read, or None while reading has not begun."""
        return None if self._reader is None else await self._reader.position(partition)

    async def ends(self) -> dict[int, int] | None:
        """Ask for each partition's end offset; None while reading has not begun.

        Raises:
            KafkaError: If Kafka does not respond.

        """
        if self._reader is None:
            return None
        return {partition: bounds.end for partition, bounds in (await self._reader.bounds()).items()}

    def _require_origin(self, facts: TopicFacts) -> None:
        """Raise unless the copy belongs to this topic and is recent enough."""
        if self._store.origin is None:
            self._store.begin(Origin(identity=facts.identity, current_at=time.time()))
        elif self._store.origin.identity != facts.identity:
            text = "its rows are of another topic or another Kafka"
            raise RebuildError(text)
        else:
            self._require_recent(time.time())

    async def _seek(self, reader: LogReader) -> None:
        """Seek to where the copy stands if the topic still has these offsets."""
        bounds = await reader.bounds()
        offsets = {partition: state.offset for partition, state in self._store.states.items()}
        if not bounds.keys() >= offsets.keys() or any(
            not bounds[each].beginning <= offset <= bounds[each].end for each, offset in offsets.items()
        ):
            text = "the topic does not have the offsets where it stands"
            raise RebuildError(text)
        reader.seek(offsets)

    def _apply(self, partition: int, records: Sequence[LogRecord]) -> None:
        """Write what one partition's records change."""
        assert self._reader is not None
        state = self._store.states.get(partition, PartitionState())
        if records[0].offset < state.offset:
            text = "the topic has lost records: it continues at an offset that was already read"
            raise RebuildError(text)
        changes = read_records(state, partition, self._reader.partitions, records)
        self._store.write(partition, changes)
        for each in changes.judged:
            if not each.counts:
                log.warning("ignored a record of a writer that had lost the partition", topic=self._topic.name)
                self._stats.void += self._caught_up
        if self._caught_up:
            self._stats.delays += len(records)
            self._stats.delay_seconds += sum(max(0.0, time.time() - each.timestamp / 1000) for each in records)
        self._on_changes(partition, changes)

    def _update_progress(self, progress: Progress) -> None:
        assert self._store.origin is not None
        if progress.complete and not self._store.origin.complete:
            self._restore_lost_rows()
            self._store.begin(self._store.origin.model_copy(update={"complete": True}))
        self._caught_up = progress.complete
        self._on_progress(progress)

    def _restore_lost_rows(self) -> None:
        """Let the void rows count that compaction has left nothing else beside; see `lost_to_compaction`."""
        lag = int(self._facts.compaction_lag_seconds * 1000)
        for partition, keys in self._store.void.items():
            void = {key: record for key in keys if (record := self._store.void_record(partition, key)) is not None}
            lost = lost_to_compaction(void, lambda key: self._store.get(key) is not None, _milliseconds(), lag)
            if lost:
                log.error(
                    "restored rows from void records: nothing else is left", topic=self._topic.name, rows=len(lost)
                )
                self._store.write(partition, adopt(self._store.states[partition], lost))

    def _update_lag(self, records: int) -> None:
        self._stats.lag = records

    def _confirm_current(self, at: float) -> None:
        self._require_recent(at)
        origin = self._store.origin
        assert origin is not None
        self._store.begin(origin.model_copy(update={"current_at": at}))

    def _require_recent(self, at: float) -> None:
        """Raise if the rows are so old that the topic may already have dropped tombstones of theirs."""
        assert self._store.origin is not None
        age_seconds = abs(at - self._store.origin.current_at)  # a time in the future means that a clock was wrong
        if age_seconds > self._trusted_seconds:
            text = (
                f"it was last current {age_seconds / 3600:.1f} hours ago: the topic may have dropped tombstones since"
            )
            raise RebuildError(text)

    async def _watch_identity(self) -> None:
        """Raise once the topic was recreated."""
        identity = self._facts.identity
        while identity == self._facts.identity:
            await asyncio.sleep(END_OFFSETS_SECONDS)
            identity = (await self._topic.facts()).identity
        text = "the topic was recreated"
        raise RebuildError(text)


def _milliseconds() -> int:
    return int(time.time() * 1000)
