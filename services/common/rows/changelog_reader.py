"""Reads a table's changelog into its copy: from where the copy stands, and only while that fits the topic."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError

from services.common.kafka.log import Bounds, ChangelogTopic, LogReader, LogRecord
from services.common.kafka.tail import END_OFFSETS_SECONDS, tail
from services.common.kafka.topic_facts import TopicFacts
from services.common.progress import Progress
from services.common.rows.changelog import Changes, PartitionState, adopt, lost_to_compaction, read_records
from services.common.rows.store import Origin, RowStore

log = structlog.get_logger(__name__)
MOST_CONFIRMATIONS: Final = 5
"""How many reads may look for the records that a copy has read last."""
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
    """One reading of a changelog into a copy.

    Attributes:
        partitions: The topic's number of partitions; 0 while reading has not begun.

    """

    def __init__(
        self,
        topic: ChangelogTopic,
        store: RowStore,
        stats: LagStats,
        *,
        on_progress: Callable[[Progress], None],
        on_changes: Callable[[int, Changes], None],
    ) -> None:
        """Prepare the reading.

        Args:
            topic: The changelog topic.
            store: The copy.
            stats: Counts how the copy keeps up.
            on_progress: Takes the progress until the copy has everything that was there at the start.
            on_changes: Takes a partition and its changes, once they are in the store.

        """
        self._topic = topic
        self._store = store
        self._stats = stats
        self._on_progress = on_progress
        self._on_changes = on_changes
        self._caught_up = False
        self._facts = TopicFacts("", 0.0, 0.0)
        self._origin = Origin(identity="", current_at=0.0)
        self.partitions = 0

    @property
    def compaction_lag_seconds(self) -> float:
        """Minimum age of a record that compaction takes into account."""
        return self._facts.compaction_lag_seconds

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            RebuildError: If the copy does not fit the topic, or no longer does.
            StoreError: If the store does not take the rows.

        """
        self._facts = facts = await self._topic.facts()
        self._origin = self._require_origin(facts)
        reader = await self._topic.reader()
        try:
            await self._seek(reader)
            self.partitions = reader.partitions
            reading = tail(
                reader,
                lambda partition, records: self._apply(reader, partition, records),
                on_progress=self._update_progress,
                on_caught_up=self._confirm_current,
                on_lag=self._update_lag,
            )
            await _first_to_end(reading, self._watch(reader, facts.identity))
        finally:
            await reader.stop()

    def _require_origin(self, facts: TopicFacts) -> Origin:
        """Return what the copy is of; raise unless it belongs to this topic and is recent enough."""
        origin = self._store.origin
        if origin is None:
            return self._note_origin(Origin(identity=facts.identity, current_at=time.time()))
        if origin.identity != facts.identity:
            text = "its rows are of another topic or another Kafka"
            raise RebuildError(text)
        self._require_recent(origin, time.time())
        return origin

    def _note_origin(self, origin: Origin) -> Origin:
        self._store.begin(origin)
        self._origin = origin
        return origin

    async def _seek(self, reader: LogReader) -> None:
        """Seek to where the copy stands if the topic still has these offsets, and what was read of it."""
        states = dict(self._store.states)
        offsets = {partition: state.offset for partition, state in states.items()}
        bounds = await reader.bounds()
        _require_offsets(bounds, offsets)
        reader.seek({partition: max(0, offset - 1) for partition, offset in offsets.items()})
        for _ in range(MOST_CONFIRMATIONS):
            batches = await reader.read() if states else {}
            for partition, records in batches.items():
                state = states.pop(partition, None)
                if state is not None and _is_another(records[0], state):
                    text = "the topic has lost records: others have their offsets"
                    raise RebuildError(text)
            if not batches:  # nothing more is there: compaction has removed what was read last
                break
        reader.seek({partition: each.beginning for partition, each in bounds.items()} | offsets)

    def _apply(self, reader: LogReader, partition: int, records: Sequence[LogRecord]) -> None:
        """Write what one partition's records change."""
        state = self._store.states.get(partition, PartitionState())
        if records[0].offset < state.offset:
            text = "the topic has lost records: it continues at an offset that was already read"
            raise RebuildError(text)
        self.partitions = reader.partitions
        changes = read_records(state, partition, self.partitions, records)
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
        if progress.complete and not self._origin.complete:
            self._restore_lost_rows()
            self._note_origin(self._origin.model_copy(update={"complete": True}))
        self._caught_up = progress.complete
        self._on_progress(progress)

    def _restore_lost_rows(self) -> None:
        """Let the void rows count that compaction has left nothing else beside; see `lost_to_compaction`."""
        at, lag = int(time.time() * 1000), int(self.compaction_lag_seconds * 1000)
        for partition, keys in self._store.void.items():
            void = {key: record for key in keys if (record := self._store.void_record(partition, key)) is not None}
            lost = lost_to_compaction(void, lambda key: self._store.get(key) is not None, at, lag)
            if lost:
                log.error(
                    "restored rows from void records: nothing else is left", topic=self._topic.name, rows=len(lost)
                )
                self._store.write(partition, adopt(self._store.states[partition], lost))

    def _update_lag(self, records: int) -> None:
        self._stats.lag = records

    def _confirm_current(self, at: float) -> None:
        self._require_recent(self._origin, at)
        self._note_origin(self._origin.model_copy(update={"current_at": at}))

    def _require_recent(self, origin: Origin, at: float) -> None:
        """Raise if the rows are so old that the topic may already have dropped tombstones of theirs."""
        trusted_seconds = max(self._facts.delete_retention_seconds * TRUSTED_SHARE, 3 * END_OFFSETS_SECONDS)
        age_seconds = abs(at - origin.current_at)  # a time in the future means that a clock was wrong
        if age_seconds > trusted_seconds:
            text = (
                f"it was last current {age_seconds / 3600:.1f} hours ago: the topic may have dropped tombstones since"
            )
            raise RebuildError(text)

    async def _watch(self, reader: LogReader, identity: str) -> None:
        """Raise once the topic was recreated, or ends before what was read of it, as after a loss of records."""
        while True:
            await asyncio.sleep(END_OFFSETS_SECONDS)
            self._facts = await self._topic.facts()
            if self._facts.identity != identity:
                text = "the topic was recreated"
                raise RebuildError(text)
            offsets = {partition: state.offset for partition, state in self._store.states.items()}
            with suppress(KafkaError):
                _require_offsets(await reader.bounds(), offsets)


async def _first_to_end(*work: Coroutine[Any, Any, None]) -> None:
    """Run work side by side until any of it ends, and raise its error; what goes on is cancelled."""
    tasks = tuple(map(asyncio.create_task, work))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _require_offsets(bounds: Mapping[int, Bounds], offsets: Mapping[int, int]) -> None:
    """Raise unless a topic has the offsets where a copy stands."""
    if not bounds.keys() >= offsets.keys() or any(
        not bounds[each].beginning <= offset <= bounds[each].end for each, offset in offsets.items()
    ):
        text = "the topic does not have the offsets where it stands"
        raise RebuildError(text)


def _is_another(record: LogRecord, state: PartitionState) -> bool:
    """Tell whether a record stands where a copy has read another one."""
    return record.offset == state.offset - 1 and record.timestamp != state.last_at
