"""Reads topics of Kafka into an archive: as they are at this moment, without a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndTimestamp

from operations.audit.record_store import MARGIN, RecordStore, StoredRecord
from operations.audit.time_range import BEGINNING, TimeRange
from schemas.topics import LOGIN, PAIRING, PUSH, Topic, TopicKind
from services.common.clock import now

ProgressCallback = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""
_POLL_MILLISECONDS: Final = 500
_SILENCE_SECONDS: Final = 60.0
_BATCH_RECORDS: Final = 2000


class ReadingError(Exception):
    """The topics cannot be read. The text says why and what to do."""


def silent(_what: str, _done: int, _total: int) -> None:
    """Show no progress."""


@asynccontextmanager
async def read_archive(
    bootstrap: str, prefix: str, topics: Sequence[Topic], span: TimeRange, step: ProgressCallback = silent
) -> AsyncIterator[RecordStore]:
    """Read topics into an archive on the disk, which is removed afterwards.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.
        topics: Which topics: changelogs are read whole, others from an hour before the span on.
        span: The span.
        step: Shows progress.

    Raises:
        ReadingError: If Kafka cannot be reached, a topic is missing, or Kafka stops answering.

    """
    with TemporaryDirectory(prefix="countersign-") as directory:
        archive = RecordStore(Path(directory) / "archive.sqlite")
        try:
            await _Reader(archive, bootstrap, prefix, span, step).read(topics)
            yield archive
        finally:
            archive.close()


class _Reader:
    def __init__(
        self, archive: RecordStore, bootstrap: str, prefix: str, span: TimeRange, step: ProgressCallback
    ) -> None:
        self._archive = archive
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._span = span
        self._step = step

    async def read(self, topics: Sequence[Topic]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, group_id=None, auto_offset_reset="earliest")
        try:
            await consumer.start()
            # First what is committed, then how far the topics go: so all that a committed event led to is read.
            partitions = await self._partitions(topics)
            consumer.assign(list(partitions))
            ends = await consumer.end_offsets(list(partitions))
            await self._seek(consumer, partitions, ends)
            await self._read_to(consumer, ends)
        except (KafkaError, TimeoutError) as error:
            text = (
                f"Kafka cannot be read at {self._bootstrap}. Is it running? (--kafka HOST:PORT names another one.)"
                if isinstance(error, KafkaError)
                else f"Kafka at {self._bootstrap} gives no more records; those that are wanted are not all there"
            )
            raise ReadingError(text) from error
        finally:
            await consumer.stop()

    async def _partitions(self, topics: Sequence[Topic]) -> Mapping[TopicPartition, Topic]:
        """Note what the services have committed, and return the topics' partitions."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            for service in (LOGIN, PAIRING, PUSH):
                committed = await admin.list_consumer_group_offsets(f"{self._prefix}{service}")
                for place, offset in committed.items():
                    name = place.topic.removeprefix(self._prefix)
                    self._archive.settled[service, name, place.partition] = offset.offset
            described = await admin.describe_topics([f"{self._prefix}{topic.name}" for topic in topics])
        finally:
            await admin.close()
        wanted = {f"{self._prefix}{topic.name}": topic for topic in topics}
        found = {}
        for topic in described:
            name = topic["topic"]
            if topic["error_code"]:
                text = f"topic {name} is missing; `countersign topics apply` makes it, `--topic-prefix` names others"
                raise ReadingError(text)
            self._archive.partitions = len(topic["partitions"])
            found.update({TopicPartition(name, each["partition"]): wanted[name] for each in topic["partitions"]})
        return found

    async def _seek(
        self, consumer: AIOKafkaConsumer, partitions: Mapping[TopicPartition, Topic], ends: Mapping[TopicPartition, int]
    ) -> None:
        """Begin each partition where it is wanted from, and note from when on it is whole."""
        begins = await consumer.beginning_offsets(list(partitions))
        start = self._span.since - MARGIN if self._span.since > BEGINNING + MARGIN else BEGINNING
        cut = [each for each, topic in partitions.items() if topic.kind is not TopicKind.CHANGELOG]
        first: Mapping[TopicPartition, OffsetAndTimestamp | None] = {}
        if start != BEGINNING:
            first = await consumer.offsets_for_times(dict.fromkeys(cut, int(start.timestamp() * 1000)))
        for each, begin in begins.items():
            later = first.get(each)
            offset = begin if each not in first else ends[each] if later is None else later.offset
            consumer.seek(each, offset)
            # Kafka has let go of older records than its first one, whose time is known once it is read.
            whole = start if offset > begin else BEGINNING if begin == 0 else now()
            self._archive.whole_since[self._place(each)] = whole

    async def _read_to(self, consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        """Read until all has come that was there at the start."""
        begun = {each: await consumer.position(each) for each in ends}
        missing = {each: end for each, end in ends.items() if begun[each] < end}
        total, done = sum(missing[each] - begun[each] for each in missing), 0
        while missing:
            async with asyncio.timeout(_SILENCE_SECONDS):
                fetched = await self._fetch(consumer, missing)
            for place, records in fetched.items():
                self._keep(place, records)
                done += len(records)
            self._step("reading", min(done, total), total)
            missing = {each: end for each, end in missing.items() if await consumer.position(each) < end}
            consumer.pause(*(each for each in ends if each not in missing))

    async def _fetch(
        self, consumer: AIOKafkaConsumer, missing: Mapping[TopicPartition, int]
    ) -> Mapping[TopicPartition, list[ConsumerRecord]]:
        """Return the next records, or none once the positions went past what was compacted away."""
        while True:
            fetched: Mapping[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(
                timeout_ms=_POLL_MILLISECONDS, max_records=_BATCH_RECORDS
            )
            if fetched or any([await consumer.position(each) >= end for each, end in missing.items()]):
                return fetched

    def _keep(self, place: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        name, number = self._place(place)
        stored = [_stored(name, record) for record in records]
        whole = self._archive.whole_since[name, number]
        self._archive.whole_since[name, number] = min(whole, stored[0].at)
        self._archive.add(stored)

    def _place(self, each: TopicPartition) -> tuple[str, int]:
        return each.topic.removeprefix(self._prefix), each.partition


def _stored(topic: str, record: ConsumerRecord) -> StoredRecord:
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    headers = [(name, value or b"") for name, value in record.headers]
    return StoredRecord(topic, record.partition, record.offset, at, record.key, record.value, headers)
