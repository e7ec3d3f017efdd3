"""Reads the current content of topics into a record store, without a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndTimestamp

from operations.audit.record_store import MARGIN, RecordStore, StoredRecord
from operations.audit.time_range import BEGINNING, TimeRange
from schemas.topics import LOGIN, PAIRING, PUSH, Topic, TopicKind
from services.common.clock import now
from services.common.kafka.connection import KafkaConnection, unreachable_text

ProgressCallback = Callable[[str, int, int], None]
"""Takes the current step, the number of records done, and the total."""
_POLL_MILLISECONDS: Final = 500
_SILENCE_SECONDS: Final = 60.0
_BATCH_RECORDS: Final = 2000


class ReadingError(Exception):
    """The topics cannot be read. The text says why and what to do."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Ignore the progress."""


@asynccontextmanager
async def read_records(
    connection: KafkaConnection,
    prefix: str,
    topics: Sequence[Topic],
    time_range: TimeRange,
    on_progress: ProgressCallback = silent,
) -> AsyncIterator[RecordStore]:
    """Read topics into a temporary record store on disk.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.
        topics: The topics; changelogs are read completely, others from an hour before the time range.
        time_range: The time range.
        on_progress: Displays progress.

    Raises:
        ReadingError: If Kafka cannot be reached, a topic is missing, or Kafka stops responding.

    """
    with TemporaryDirectory(prefix="countersign-") as directory:
        store = RecordStore(Path(directory) / "records.sqlite")
        try:
            await _Reader(store, connection, prefix, time_range, on_progress).read(topics)
            yield store
        finally:
            store.close()


class _Reader:
    def __init__(
        self,
        store: RecordStore,
        connection: KafkaConnection,
        prefix: str,
        time_range: TimeRange,
        on_progress: ProgressCallback,
    ) -> None:
        self._store = store
        self._connection = connection
        self._prefix = prefix
        self._time_range = time_range
        self._on_progress = on_progress

    async def read(self, topics: Sequence[Topic]) -> None:
        consumer = self._connection.consumer(
            group_id=None,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await self._connection.start(consumer)
            # Committed offsets first, end offsets second: so all messages of committed events are read.
            partitions = await self._partitions(topics)
            consumer.assign(list(partitions))
            ends = await consumer.end_offsets(list(partitions))
            await self._seek(consumer, partitions, ends)
            await self._read_to(consumer, ends)
        except (KafkaError, TimeoutError) as error:
            text = (
                unreachable_text(self._connection, error)
                if isinstance(error, KafkaError)
                else f"Kafka at {self._connection.bootstrap} stopped returning records before the end of the topics"
            )
            raise ReadingError(text) from error
        finally:
            await consumer.stop()

    async def _partitions(self, topics: Sequence[Topic]) -> Mapping[TopicPartition, Topic]:
        """Store the services' committed offsets, and return the topics' partitions."""
        admin = self._connection.admin()
        try:
            await self._connection.start(admin)
            for service in (LOGIN, PAIRING, PUSH):
                committed = await admin.list_consumer_group_offsets(f"{self._prefix}{service}")
                for place, offset in committed.items():
                    name = place.topic.removeprefix(self._prefix)
                    self._store.committed_offsets[service, name, place.partition] = offset.offset
            described = await admin.describe_topics([f"{self._prefix}{topic.name}" for topic in topics])
        finally:
            await admin.close()
        wanted = {f"{self._prefix}{topic.name}": topic for topic in topics}
        found = {}
        for topic in described:
            name = topic["topic"]
            if topic["error_code"]:
                text = f"topic {name} is missing; run `countersign topics apply`, or check --topic-prefix"
                raise ReadingError(text)
            self._store.partitions = len(topic["partitions"])
            found.update({TopicPartition(name, each["partition"]): wanted[name] for each in topic["partitions"]})
        return found

    async def _seek(
        self, consumer: AIOKafkaConsumer, partitions: Mapping[TopicPartition, Topic], ends: Mapping[TopicPartition, int]
    ) -> None:
        """Seek to the first offset of each partition, and store the time from which the partition is complete."""
        begins = await consumer.beginning_offsets(list(partitions))
        start = self._time_range.since - MARGIN if self._time_range.since > BEGINNING + MARGIN else BEGINNING
        cut = [each for each, topic in partitions.items() if topic.kind is not TopicKind.CHANGELOG]
        first: Mapping[TopicPartition, OffsetAndTimestamp | None] = {}
        if start != BEGINNING:
            first = await consumer.offsets_for_times(dict.fromkeys(cut, int(start.timestamp() * 1000)))
        for each, begin in begins.items():
            later = first.get(each)
            offset = begin if each not in first else ends[each] if later is None else later.offset
            consumer.seek(each, offset)
            # Kafka has deleted the records before its first one, whose time is known once it is read.
            whole = start if offset > begin else BEGINNING if begin == 0 else now()
            self._store.complete_since[self._key_of(each)] = whole

    async def _read_to(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Read up to the given end offsets."""
        starts = {each: await consumer.position(each) for each in ends}
        missing = {each: end for each, end in ends.items() if starts[each] < end}
        total, done = sum(missing[each] - starts[each] for each in missing), 0
        while missing:
            async with asyncio.timeout(_SILENCE_SECONDS):
                fetched = await self._fetch(consumer, missing)
            for partition, records in fetched.items():
                self._store_records(partition, records)
                done += len(records)
            self._on_progress("reading", min(done, total), total)
            missing = {each: end for each, end in missing.items() if await consumer.position(each) < end}
            consumer.pause(*(each for each in ends if each not in missing))

    async def _fetch(
        self, consumer: AIOKafkaConsumer, missing: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        """Return the next records; none if only compacted records were left before the end."""
        while True:
            fetched: Mapping[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(
                timeout_ms=_POLL_MILLISECONDS, max_records=_BATCH_RECORDS
            )
            if fetched or any([await consumer.position(each) >= end for each, end in missing.items()]):
                return fetched

    def _store_records(self, partition: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        name, number = self._key_of(partition)
        stored = [_stored(name, record) for record in records]
        whole = self._store.complete_since[name, number]
        self._store.complete_since[name, number] = min(whole, stored[0].at)
        self._store.add(stored)

    def _key_of(self, each: TopicPartition) -> tuple[str, int]:
        return each.topic.removeprefix(self._prefix), each.partition


def _stored(topic: str, record: ConsumerRecord) -> StoredRecord:
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    headers = [(name, value or b"") for name, value in record.headers]
    return StoredRecord(topic, record.partition, record.offset, at, record.key, record.value, headers)
