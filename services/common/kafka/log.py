"""A changelog topic as a log: read from any offset, appended to by partition. The interface, and Kafka's own.

Only what stands in the interfaces is used of Kafka here, so that a simulated log can take its place.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from schemas.codec import Headers
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.fetch_max_wait import REBALANCE_MILLISECONDS, TAIL_MILLISECONDS, set_fetch_max_wait
from services.common.kafka.publisher import Publisher
from services.common.kafka.silent_brokers import REQUEST_MILLISECONDS, avoid_silent_brokers
from services.common.kafka.topic_facts import TopicFacts, await_topic_facts

log = structlog.get_logger(__name__)
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 500
"""Small enough to apply within milliseconds, since the event loop has other work."""
PAUSE_SECONDS: Final = 0.5


class LogRecord(Protocol):
    """A record as it was read; aiokafka's records are of this shape."""

    @property
    def offset(self) -> int:
        """Its offset in the partition."""

    @property
    def timestamp(self) -> int:
        """When Kafka or its producer stamped it, Unix time in milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Its key."""

    @property
    def value(self) -> bytes | None:
        """Its value; None is a tombstone."""

    @property
    def headers(self) -> Headers:
        """Its headers."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The offsets that a partition has.

    Attributes:
        beginning: The offset of its first record.
        end: The offset of the next record to be written.

    """

    beginning: int
    end: int


class LogReader(Protocol):
    """Reads all partitions of one topic, without a consumer group."""

    async def bounds(self) -> Mapping[int, Bounds]:
        """Ask for the offsets that each partition has now.

        Raises:
            KafkaError: If Kafka does not respond.

        """

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on reading at the given offsets, by partition."""

    async def position(self, partition: int) -> int:
        """Return the offset of the next record to read; control records are passed over."""

    async def read(self) -> Mapping[int, Sequence[LogRecord]]:
        """Return the next records by partition; waits for them up to a second."""

    @property
    def partitions(self) -> int:
        """The topic's number of partitions. It only grows."""

    async def lag(self) -> int:
        """Return the number of unread records, as far as Kafka has told."""

    def settle(self) -> None:
        """Fetch with a longer poll from now on: the reader has caught up."""

    async def stop(self) -> None:
        """Disconnect."""


class ChangelogTopic(Protocol):
    """One table's changelog topic."""

    @property
    def name(self) -> str:
        """The topic's full name."""

    async def facts(self) -> TopicFacts:
        """Return the topic's identity and settings, once Kafka tells them."""

    async def reader(self) -> LogReader:
        """Start a reader of all partitions from their beginnings, once Kafka lets it."""

    def append(self, partition: int, key: bytes, value: bytes | None, headers: Headers) -> Awaitable[None]:
        """Append a record; completes once all in-sync replicas have it. Appends to a partition keep their order.

        Raises:
            KafkaError: If Kafka did not acknowledge it in time; it may or may not be in the log.

        """


class KafkaLogReader:
    """Reads a topic of Kafka."""

    def __init__(self, connection: KafkaConnection, topic: str) -> None:
        """Prepare it; `start` connects.

        Args:
            connection: How to reach Kafka.
            topic: The topic's full name.

        """
        self._topic = topic
        self._partitions = 0
        self._consumer = connection.consumer(
            topic,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=REBALANCE_MILLISECONDS,
            request_timeout_ms=REQUEST_MILLISECONDS,
        )
        avoid_silent_brokers(self._consumer._client)  # noqa: SLF001 - aiokafka has no other way

    async def start(self) -> None:
        """Connect, retrying until Kafka has the topic.

        Raises:
            KafkaError: If Kafka cannot be reached.

        """
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise

    async def bounds(self) -> Mapping[int, Bounds]:
        """Ask for the offsets that each partition has now."""
        assigned = sorted(self._consumer.assignment())
        beginnings = await self._consumer.beginning_offsets(assigned)
        ends = await self._consumer.end_offsets(assigned)
        return {each.partition: Bounds(beginnings[each], ends[each]) for each in assigned}

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on reading at the given offsets, by partition."""
        for partition, offset in offsets.items():
            self._consumer.seek(TopicPartition(self._topic, partition), offset)

    async def seek_time(self, milliseconds: int) -> None:
        """Go on reading with the first record at or after a Unix time in milliseconds."""
        partitions = sorted(self._consumer.assignment())
        found = await self._consumer.offsets_for_times(dict.fromkeys(partitions, milliseconds))
        ends = await self._consumer.end_offsets(partitions)
        for partition in partitions:
            offset = found.get(partition)
            self._consumer.seek(partition, ends[partition] if offset is None else offset.offset)

    async def position(self, partition: int) -> int:
        """Return the offset of the next record to read; control records are passed over."""
        position: int = await self._consumer.position(TopicPartition(self._topic, partition))
        return position

    async def read(self) -> Mapping[int, Sequence[LogRecord]]:
        """Return the next records by partition; waits for them up to a second."""
        batches = await self._consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)
        return {each.partition: records for each, records in batches.items()}

    @property
    def partitions(self) -> int:
        """The topic's number of partitions. It only grows, but during a metadata fetch fewer may be assigned."""
        self._partitions = max(self._partitions, len(self._consumer.assignment()))
        return self._partitions

    async def lag(self) -> int:
        """Return the number of unread records; a partition whose high watermark is unknown counts as read."""
        lag = 0
        for partition in self._consumer.assignment():
            with suppress(IllegalStateError):  # the topic was deleted in between
                position = await self._consumer.position(partition)
                end = self._consumer.highwater(partition) if partition in self._consumer.assignment() else None
                lag += max(0, (end or 0) - position)
        return lag

    def settle(self) -> None:
        """Fetch with a longer poll from now on: the reader has caught up."""
        set_fetch_max_wait(self._consumer, TAIL_MILLISECONDS)

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()


async def start_reader(connection: KafkaConnection, topic: str) -> KafkaLogReader:
    """Return a reader of all partitions of a topic from their beginnings, once Kafka lets it."""
    while True:
        reader = KafkaLogReader(connection, topic)
        try:
            await reader.start()
        except KafkaError as error:
            log.warning("cannot read a topic, retrying", topic=topic, error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return reader


class KafkaChangelog:
    """A changelog topic of Kafka."""

    def __init__(self, connection: KafkaConnection, topic: str, publisher: Publisher) -> None:
        """Take the topic.

        Args:
            connection: How to reach Kafka.
            topic: The topic's full name.
            publisher: Appends the records, in one order with what else it publishes.

        """
        self.name = topic
        self._connection = connection
        self._publisher = publisher

    async def facts(self) -> TopicFacts:
        """Return the topic's identity and settings, once Kafka tells them."""
        return await await_topic_facts(self._connection, self.name)

    async def reader(self) -> LogReader:
        """Start a reader of all partitions from their beginnings, once Kafka lets it."""
        return await start_reader(self._connection, self.name)

    async def append(self, partition: int, key: bytes, value: bytes | None, headers: Headers) -> None:
        """Append a record; completes once all in-sync replicas have it."""
        await self._publisher.append(self.name, partition, key, value, headers)
