"""Reads a table's changelog into a row store, starting at the store's position if that is valid for the topic."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from services.common.kafka.partitions import is_misrouted
from services.common.kafka.tail import END_OFFSETS_SECONDS, from_offsets, tail
from services.common.kafka.topic_facts import TopicFacts, await_topic_facts
from services.common.progress import Progress
from services.common.rows.stamps import is_newer
from services.common.rows.store import Position, RowStore

log = structlog.get_logger(__name__)
TRUSTED_SHARE: Final = 0.9
"""Maximum age of a store as a share of the topic's delete retention; the rest allows for clock skew."""


@dataclass(slots=True)
class LagStats:
    """How a view keeps up with its topic. Only records after the initial catch-up count.

    Attributes:
        lag: The number of unread records at the last check.
        stale: The number of ignored stale rows.
        delays: The number of records read.
        delay_seconds: The sum of the times from the owner's write to this read.

    """

    lag: int = 0
    stale: int = 0
    delays: int = 0
    delay_seconds: float = 0.0


class RebuildError(Exception):
    """The store must be rebuilt from the topic. The text says why."""


class ChangelogReader:
    """Reads one changelog into one store."""

    def __init__(  # noqa: PLR0913 - the topic, the store, and two callbacks
        self,
        bootstrap: str,
        topic: str,
        store: RowStore,
        lag_stats: LagStats,
        *,
        on_progress: Callable[[Progress], None],
        on_change: Callable[[str], None],
    ) -> None:
        """Prepare the reader.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            topic: The changelog topic's full name.
            store: The store of the rows.
            lag_stats: Updated by the reader.
            on_progress: Takes the progress, until the store contains everything that the topic had at the start.
            on_change: Takes each key whose row may have changed.

        """
        self._bootstrap = bootstrap
        self._topic = topic
        self._store = store
        self._lag_stats = lag_stats
        self._caught_up = False
        self._on_progress = on_progress
        self._on_change = on_change

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            RebuildError: If the store's position is not, or no longer, valid for the topic.
            StoreError: If a write to the store fails.

        """
        facts = await await_topic_facts(self._bootstrap, self._topic)
        self._trusted_seconds = max(facts.delete_retention_seconds * TRUSTED_SHARE, 3 * END_OFFSETS_SECONDS)
        self._position = self._load_position(facts)
        reading = tail(
            self._bootstrap,
            self._topic,
            self._apply,
            seek=self._seek,
            on_progress=self._update_progress,
            on_caught_up=self._confirm_current,
            on_lag=self._update_lag,
        )
        tasks = {asyncio.create_task(reading), asyncio.create_task(self._watch_identity())}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _load_position(self, facts: TopicFacts) -> Position:
        """Return the store's position if it belongs to this topic and is recent enough."""
        stored = self._store.position
        if stored is None:
            new = Position(identity=facts.identity, current_at=time.time())
            self._store.write({}, new)
            return new
        if stored.identity != facts.identity:
            text = "its rows are of another topic or another Kafka"
            raise RebuildError(text)
        self._require_recent(stored, time.time())
        return stored

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Seek to the store's position if the topic still has these offsets."""
        partitions = sorted(consumer.assignment())
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        numbers = {each.partition for each in partitions}
        offsets = {each: self._position.offsets.get(each.partition, beginnings[each]) for each in partitions}
        if not numbers.issuperset(self._position.offsets) or any(
            not beginnings[each] <= offset <= ends[each] for each, offset in offsets.items()
        ):
            text = "the topic does not have the offsets of its position"
            raise RebuildError(text)
        await from_offsets(self._position.offsets)(consumer)

    def _apply(self, records: Sequence[ConsumerRecord], partitions: int) -> None:
        """Write the newer rows among one partition's records, and the new position.

        Rows that a repartition left in another partition than their key's are ignored (docs/adr/0024).
        """
        partition, first = records[0].partition, records[0].offset
        if first < self._position.offsets.get(partition, 0):
            text = "the topic has lost records: it continues at an offset that was already read"
            raise RebuildError(text)
        keyed = [
            record for record in records if _is_key(record.key) and not is_misrouted(record.key, partition, partitions)
        ]
        keys = list(dict.fromkeys(record.key for record in keyed))
        rows = dict(zip(keys, self._store.get_many(keys), strict=True))
        changes: dict[bytes, bytes | None] = {}
        for record in keyed:
            if is_newer(record.value, rows[record.key], record.headers):
                rows[record.key] = changes[record.key] = record.value
            else:
                log.warning("ignored a stale row", topic=self._topic, offset=record.offset)
                self._lag_stats.stale += self._caught_up
        self._write({partition: records[-1].offset + 1}, changes)
        if self._caught_up:
            self._lag_stats.delays += len(keyed)
            self._lag_stats.delay_seconds += sum(max(0.0, time.time() - each.timestamp / 1000) for each in keyed)
        for key in keys:
            self._on_change(key.decode())

    def _write(self, read: Mapping[int, int], changes: Mapping[bytes, bytes | None]) -> None:
        offsets = {**self._position.offsets, **read}
        self._position = self._position.model_copy(update={"offsets": offsets})
        self._store.write(changes, self._position)

    def _update_progress(self, progress: Progress) -> None:
        self._caught_up = progress.complete
        self._on_progress(progress)

    def _update_lag(self, records: int) -> None:
        self._lag_stats.lag = records

    def _confirm_current(self, at: float) -> None:
        self._require_recent(self._position, at)
        self._position = self._position.model_copy(update={"current_at": at})
        self._store.write({}, self._position)

    def _require_recent(self, position: Position, at: float) -> None:
        """Raise if the rows are so old that the topic may already have dropped tombstones of theirs."""
        age_seconds = abs(at - position.current_at)  # a time in the future means that a clock was wrong
        if age_seconds > self._trusted_seconds:
            text = (
                f"it was last current {age_seconds / 3600:.1f} hours ago: the topic may have dropped tombstones since"
            )
            raise RebuildError(text)

    async def _watch_identity(self) -> None:
        """Raise once the topic was recreated."""
        facts = None
        while facts is None or facts.identity == self._position.identity:
            await asyncio.sleep(END_OFFSETS_SECONDS)
            facts = await await_topic_facts(self._bootstrap, self._topic)
        text = "the topic was recreated"
        raise RebuildError(text)


def _is_key(key: bytes | None) -> bool:
    """Return whether a record's key can be a row's: text, and not one of the store's reserved keys."""
    try:
        return bool(key) and not (key or b"").decode().startswith("\0")
    except UnicodeDecodeError:
        return False
