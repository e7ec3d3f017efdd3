"""Reads a table's changelog into a store of rows: from where the store stands, and only while that fits the topic."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord

from services.common.kafka.partitions import is_misrouted
from services.common.kafka.tail import ASK_SECONDS, from_offsets, tail
from services.common.kafka.topic_facts import TopicFacts, await_topic_facts
from services.common.progress import Progress
from services.common.rows.stamps import is_newer
from services.common.rows.store import Position, RowStore

log = structlog.get_logger(__name__)
TRUSTED_SHARE: Final = 0.9
"""How old a store may be, of the time for which a topic shows what was deleted; the rest is for clocks that differ."""


@dataclass(slots=True)
class LagStats:
    """How a view keeps up with its topic; what was there before it began to show anything counts for nothing.

    Attributes:
        lag: How many records it had yet to read, when it last looked.
        stale: How many stale rows it left aside.
        delays: How many records it read.
        delay_seconds: The sum of their times from the owner's writing to here.

    """

    lag: int = 0
    stale: int = 0
    delays: int = 0
    delay_seconds: float = 0.0


class ReadAnewError(Exception):
    """The store cannot be gone on with. The text says why."""


class ChangelogReader:
    """One reading of a changelog."""

    def __init__(  # noqa: PLR0913 - what to read, into what, and who hears of it
        self,
        bootstrap: str,
        topic: str,
        store: RowStore,
        following: LagStats,
        *,
        on_progress: Callable[[Progress], None],
        on_change: Callable[[str], None],
    ) -> None:
        """Prepare it.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            topic: The changelog topic's full name.
            store: Takes the rows.
            following: Where it is counted how it keeps up.
            on_progress: Told how far it is, until it is complete: then the store has all that was there at the start.
            on_change: Told each key whose row may have changed.

        """
        self._bootstrap = bootstrap
        self._topic = topic
        self._store = store
        self._following = following
        self._shows = False
        self._on_progress = on_progress
        self._on_change = on_change

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            ReadAnewError: If the store's rows do not fit the topic, or no longer do.
            StoreError: If the store does not take the rows.

        """
        facts = await await_topic_facts(self._bootstrap, self._topic)
        self._trusted_seconds = max(facts.delete_retention_seconds * TRUSTED_SHARE, 3 * ASK_SECONDS)
        self._position = self._begin(facts)
        reading = tail(
            self._bootstrap,
            self._topic,
            self._apply,
            seek=self._seek,
            on_progress=self._note_progress,
            on_caught_up=self._note_current,
            on_lag=self._note_lag,
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

    def _begin(self, facts: TopicFacts) -> Position:
        """Return where the store stands, if that is in this topic, and recent enough."""
        kept = self._store.position
        if kept is None:
            fresh = Position(identity=facts.identity, current_at=time.time())
            self._store.write({}, fresh)
            return fresh
        if kept.identity != facts.identity:
            text = "it is of another topic, or of another Kafka"
            raise ReadAnewError(text)
        self._require_recent(kept, time.time())
        return kept

    async def _seek(self, consumer: AIOKafkaConsumer) -> None:
        """Begin where the store stands, if the topic has it."""
        partitions = sorted(consumer.assignment())
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        numbers = {each.partition for each in partitions}
        known = {each: self._position.offsets.get(each.partition, begins[each]) for each in partitions}
        if not numbers.issuperset(self._position.offsets) or any(
            not begins[each] <= offset <= ends[each] for each, offset in known.items()
        ):
            text = "the topic does not have the offsets that it reflects"
            raise ReadAnewError(text)
        await from_offsets(self._position.offsets)(consumer)

    def _apply(self, records: Sequence[ConsumerRecord], partitions: int) -> None:
        """Write the newer rows of one partition's records, and how far they go.

        What a repartition left behind in another partition than its key's means nothing (docs/adr/0024).
        """
        partition, first = records[0].partition, records[0].offset
        if first < self._position.offsets.get(partition, 0):
            text = "the topic has lost records: it goes on before an offset that was read"
            raise ReadAnewError(text)
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
                log.warning("a stale row was left aside", topic=self._topic, offset=record.offset)
                self._following.stale += self._shows
        self._move({partition: records[-1].offset + 1}, changes)
        if self._shows:
            self._following.delays += len(keyed)
            self._following.delay_seconds += sum(max(0.0, time.time() - each.timestamp / 1000) for each in keyed)
        for key in keys:
            self._on_change(key.decode())

    def _move(self, read: Mapping[int, int], changes: Mapping[bytes, bytes | None]) -> None:
        offsets = {**self._position.offsets, **read}
        self._position = self._position.model_copy(update={"offsets": offsets})
        self._store.write(changes, self._position)

    def _note_progress(self, progress: Progress) -> None:
        self._shows = progress.complete
        self._on_progress(progress)

    def _note_lag(self, records: int) -> None:
        self._following.lag = records

    def _note_current(self, at: float) -> None:
        self._require_recent(self._position, at)
        self._position = self._position.model_copy(update={"current_at": at})
        self._store.write({}, self._position)

    def _require_recent(self, position: Position, at: float) -> None:
        """Refuse rows so old that the topic may have forgotten by now that some of them were deleted."""
        age_seconds = abs(at - position.current_at)  # one from the future tells of a clock that was wrong
        if age_seconds > self._trusted_seconds:
            text = f"it is {age_seconds / 3600:.1f} hours since it was current: deletes may be missing in the topic"
            raise ReadAnewError(text)

    async def _watch_identity(self) -> None:
        facts = None
        while facts is None or facts.identity == self._position.identity:
            await asyncio.sleep(ASK_SECONDS)
            facts = await await_topic_facts(self._bootstrap, self._topic)
        text = "the topic was made anew"
        raise ReadAnewError(text)


def _is_key(key: bytes | None) -> bool:
    """Tell whether a record's key can be a row's: text, and not one of those that the store has for itself."""
    try:
        return bool(key) and not (key or b"").decode().startswith("\0")
    except UnicodeDecodeError:
        return False
