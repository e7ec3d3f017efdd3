"""The Kafka operations of a repartition."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.errors import KafkaError

from operations.deployment import ALL
from operations.topics import await_leaders
from schemas.codec import Headers
from schemas.topics import Topic
from services.common.kafka.connection import KafkaConnection, unreachable_text

_TIMEOUT_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.5
_POLL_MILLISECONDS: Final = 500
_SILENT_POLLS: Final = 120


class UnreachableError(Exception):
    """Kafka cannot be reached, or stopped responding. The text says which."""


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """The offsets of a partition's records.

    Attributes:
        begin: The first record's offset.
        end: The next record's offset.

    """

    begin: int
    end: int

    def unread(self, committed: int | None) -> int:
        """Return the lag of a group with this committed offset; None means that it has not committed."""
        return self.end - max(self.begin, committed or 0)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to the Kafka of one deployment.

    Attributes:
        connection: How to reach Kafka.
        prefix: The topics' prefix.

    """

    connection: KafkaConnection
    prefix: str
    _admin: AIOKafkaAdminClient
    _consumer: AIOKafkaConsumer
    _producer: AIOKafkaProducer

    def name(self, topic: Topic) -> str:
        """Return a topic's full name."""
        return f"{self.prefix}{topic.name}"

    async def topics(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return the partitions of each existing topic of the deployment, as Kafka describes them."""
        described = await self._admin.describe_topics([self.name(topic) for topic in ALL])
        return {topic["topic"]: topic["partitions"] for topic in described if not topic["error_code"]}

    async def members(self, groups: Sequence[str]) -> dict[str, int]:
        """Return the number of members of each consumer group, without empty groups."""
        counts = {}
        for name in groups:
            # One request each: aiokafka 0.14 cannot parse a response about several groups.
            for response in await _retry(partial(self._admin.describe_consumer_groups, [name])):
                counts[name] = sum(len(members) for *_group, members in response.groups)
        return {name: count for name, count in counts.items() if count}

    async def other_groups(self, groups: Sequence[str]) -> list[str]:
        """Return the names of all other consumer groups in this Kafka."""
        return sorted(
            name for name, _protocol, *_rest in await self._admin.list_consumer_groups() if name not in groups
        )

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return a consumer group's committed offsets."""
        found = await _retry(partial(self._admin.list_consumer_group_offsets, group))
        return {partition: committed.offset for partition, committed in found.items() if committed.offset >= 0}

    async def offset_ranges(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, OffsetRange]:
        """Return the offset range of each partition."""
        # Without the assignment, the client would look up one topic after the other.
        self._consumer.assign(partitions)
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        return {each: OffsetRange(begins[each], ends[each]) for each in partitions}

    async def grow(self, names: Sequence[str], partitions: int) -> None:
        """Add partitions to the topics that have fewer, and wait until all are usable."""
        described = await self.topics()
        growing = {name: NewPartitions(partitions) for name in names if len(described[name]) < partitions}
        if growing:
            await self._admin.create_partitions(growing, timeout_ms=int(_TIMEOUT_SECONDS * 1000))
        await await_leaders(self.connection, [each for name in names for each in topic_partitions(name, partitions)])

    async def records(
        self, topic: str, partitions: int, starts: Mapping[int, int] | None = None
    ) -> AsyncIterator[list[ConsumerRecord]]:
        """Read the topic's current records in batches of one partition each, in order within each partition.

        Args:
            topic: The topic's full name.
            partitions: Its number of partitions.
            starts: The first offset to read by partition; default the first one that there is.

        Raises:
            UnreachableError: If Kafka returns no records for a minute.

        """
        ranges = await self.offset_ranges(topic_partitions(topic, partitions))
        first = {each: (starts or {}).get(each.partition, offsets.begin) for each, offsets in ranges.items()}
        if all(first[each] >= offsets.end for each, offsets in ranges.items()):
            return
        # A consumer for each read: another read's fetches in flight would move this one's positions.
        async with self.connection.consumer(auto_offset_reset="earliest", isolation_level="read_committed") as consumer:
            consumer.assign(list(ranges))
            for each, offset in first.items():
                consumer.seek(each, offset)
            silent = 0
            while missing := [each for each, offsets in ranges.items() if await consumer.position(each) < offsets.end]:
                batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
                silent = 0 if batches else silent + 1
                if silent > _SILENT_POLLS:
                    text = f"{topic} could not be read: Kafka returns no records of partition {missing[0].partition}"
                    raise UnreachableError(text)
                for records in batches.values():
                    yield records

    async def write(self, topic: str, records: Sequence[tuple[int, bytes, bytes | None, Headers]]) -> None:
        """Write records, each (partition, key, value, headers), and wait until all in-sync replicas have them.

        Raises:
            TimeoutError: If Kafka does not acknowledge them within a minute.

        """
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            wanted = {partition for partition, *_record in records}
            while not wanted <= await self._producer.partitions_for(topic):
                # The producer's metadata is older than the new partitions, or comes from a broker that lags behind.
                await self._producer.client.force_metadata_update()
            sent = [
                await self._producer.send(topic, value, key, partition, headers=headers)
                for partition, key, value, headers in records
            ]
            await asyncio.gather(*sent)


@asynccontextmanager
async def cluster(connection: KafkaConnection, prefix: str) -> AsyncIterator[Cluster]:
    """Connect to a deployment's Kafka.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.

    Raises:
        UnreachableError: If it cannot be reached.

    """
    admin = connection.admin()
    consumer = connection.consumer(group_id=None, enable_auto_commit=False)
    producer = connection.producer(acks="all", enable_idempotence=True)
    try:
        try:
            await connection.start(admin, consumer, producer)
        except KafkaError as error:
            raise UnreachableError(unreachable_text(connection, error)) from error
        yield Cluster(connection, prefix, admin, consumer, producer)
    finally:
        await producer.stop()
        await consumer.stop()
        await admin.close()


async def _retry(request: Callable[[], Awaitable[Any]]) -> Any:
    """Retry a request about a group: a new Kafka must first create the topic of committed offsets."""
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        while True:
            try:
                return await request()
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)


def topic_partitions(topic: str, partitions: int) -> list[TopicPartition]:
    """Return the partitions of a topic."""
    return [TopicPartition(topic, each) for each in range(partitions)]
