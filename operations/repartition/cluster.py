"""What a repartition asks of Kafka, and what it has done there."""

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
from schemas.topics import Topic
from services.common.kafka.publisher import unreachable_text

_ASK_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.5
_POLL_MILLISECONDS: Final = 500
_SILENT_POLLS: Final = 120


class UnreachableError(Exception):
    """Kafka cannot be reached, or stopped to answer. The text says which."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which records a partition holds.

    Attributes:
        begin: The offset of the first one.
        end: The offset behind the last one.

    """

    begin: int
    end: int

    def unread(self, committed: int | None) -> int:
        """Return how many a group has still to read that has committed this offset; None is nothing yet."""
        return self.end - max(self.begin, committed or 0)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A connection to the Kafka of one deployment.

    Attributes:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.

    """

    bootstrap: str
    prefix: str
    _admin: AIOKafkaAdminClient
    _consumer: AIOKafkaConsumer
    _producer: AIOKafkaProducer

    def name(self, topic: Topic) -> str:
        """Return a topic's full name."""
        return f"{self.prefix}{topic.name}"

    async def topics(self) -> dict[str, list[Mapping[str, Any]]]:
        """Return the partitions of each of the deployment's topics that is there, as Kafka describes them."""
        described = await self._admin.describe_topics([self.name(topic) for topic in ALL])
        return {topic["topic"]: topic["partitions"] for topic in described if not topic["error_code"]}

    async def members(self, groups: Sequence[str]) -> dict[str, int]:
        """Return how many members each consumer group has that has any."""
        found = {}
        for name in groups:
            # One by one: aiokafka 0.14 cannot read an answer about several.
            for answer in await _patiently(partial(self._admin.describe_consumer_groups, [name])):
                found[name] = sum(len(members) for *_group, members in answer.groups)
        return {name: members for name, members in found.items() if members}

    async def other_groups(self, groups: Sequence[str]) -> list[str]:
        """Return the names of all consumer groups of this Kafka but these."""
        return sorted(
            name for name, _protocol, *_rest in await self._admin.list_consumer_groups() if name not in groups
        )

    async def committed(self, group: str) -> dict[TopicPartition, int]:
        """Return the offsets that a consumer group has committed."""
        found = await _patiently(partial(self._admin.list_consumer_group_offsets, group))
        return {partition: committed.offset for partition, committed in found.items() if committed.offset >= 0}

    async def spans(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Span]:
        """Return from which offset to which each partition holds records."""
        # Assigned first, or the client would look up one topic after the other.
        self._consumer.assign(partitions)
        begins = await self._consumer.beginning_offsets(partitions)
        ends = await self._consumer.end_offsets(partitions)
        return {each: Span(begins[each], ends[each]) for each in partitions}

    async def grow(self, names: Sequence[str], partitions: int) -> None:
        """Give topics more partitions, those that have fewer, and wait until all can be used."""
        present = await self.topics()
        fewer = {name: NewPartitions(partitions) for name in names if len(present[name]) < partitions}
        if fewer:
            await self._admin.create_partitions(fewer, timeout_ms=int(_ASK_SECONDS * 1000))
        await await_leaders(self.bootstrap, [each for name in names for each in places(name, partitions)])

    async def records(self, topic: str, partitions: int) -> AsyncIterator[list[ConsumerRecord]]:
        """Read all that a topic holds now, in batches, in order within each partition.

        Raises:
            UnreachableError: If Kafka gives nothing for a minute.

        """
        spans = await self.spans(places(topic, partitions))
        # One for each reading: what another one has in flight would move this one's positions.
        async with AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest") as consumer:
            consumer.assign(list(spans))
            silent = 0
            while missing := [each for each, span in spans.items() if await consumer.position(each) < span.end]:
                batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS)
                silent = 0 if batches else silent + 1
                if silent > _SILENT_POLLS:
                    text = f"{topic} could not be read: Kafka gives nothing of partition {missing[0].partition}"
                    raise UnreachableError(text)
                for records in batches.values():
                    yield records

    async def write(self, topic: str, records: Sequence[tuple[int, bytes, bytes | None]]) -> None:
        """Write records, each (partition, key, value), and wait until all in-sync replicas have them.

        Raises:
            TimeoutError: If Kafka does not take them within a minute.

        """
        async with asyncio.timeout(_ASK_SECONDS):
            wanted = {partition for partition, _key, _value in records}
            while not wanted <= await self._producer.partitions_for(topic):
                # What it knows of the topic is from before it grew, or from a broker that has not heard of that yet.
                await self._producer.client.force_metadata_update()
            sent = [await self._producer.send(topic, value, key, partition) for partition, key, value in records]
            await asyncio.gather(*sent)


@asynccontextmanager
async def cluster(bootstrap: str, prefix: str) -> AsyncIterator[Cluster]:
    """Connect to a deployment's Kafka.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.

    Raises:
        UnreachableError: If it cannot be reached.

    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    try:
        try:
            for client in (admin, consumer, producer):
                await client.start()
        except KafkaError as error:
            raise UnreachableError(unreachable_text(bootstrap)) from error
        yield Cluster(bootstrap, prefix, admin, consumer, producer)
    finally:
        await producer.stop()
        await consumer.stop()
        await admin.close()


async def _patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask about a group again until it can be answered: a new Kafka first makes the topic of groups' offsets."""
    async with asyncio.timeout(_ASK_SECONDS):
        while True:
            try:
                return await ask()
            except KafkaError as error:
                if not error.retriable:
                    raise
            await asyncio.sleep(_PAUSE_SECONDS)


def places(topic: str, partitions: int) -> list[TopicPartition]:
    """Return the partitions of a topic."""
    return [TopicPartition(topic, each) for each in range(partitions)]
