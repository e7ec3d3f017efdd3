"""What the contract is tested on: the simulated broker, in virtual time, and a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any, Final, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from lab.simulation.broker import Broker, Link
from lab.simulation.group import Group, SimulatedMembership
from lab.simulation.instance import SimulatedPublisher
from lab.simulation.log import SimulatedChangelog
from lab.simulation.loop import Process, simulate
from operations.topics import await_leaders
from schemas.codec import Headers
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.log import ChangelogTopic, KafkaChangelog, LogReader
from services.common.kafka.membership import KafkaMembership, Membership
from services.common.kafka.publisher import Publisher
from services.common.rows.fence import Stamp
from tests.groups import delete_group, put_out

PARTITIONS: Final = 2
SESSION_SECONDS: Final = 6.0
LAG_SECONDS: Final = 60.0


class World(Protocol):
    """A Kafka, real or not, with topics of two partitions and one consumer group."""

    def changelog(self, topic: str) -> ChangelogTopic:
        """Return a topic as a changelog."""

    def member(self, topics: Sequence[str]) -> Membership:
        """Return another membership of the group."""

    def source(self, topic: str, partition: int) -> TopicPartition:
        """Return a topic's partition, by the topic's full name."""

    async def put(
        self, topic: str, partition: int, value: bytes, key: bytes = b"key", stamp: Stamp | None = None
    ) -> None:
        """Append a record."""

    async def mark(self, topic: str, partition: int) -> None:
        """Append a record and the marker of its transaction."""

    async def put_out(self, member: Membership) -> None:
        """Take a member out of the group without its knowing."""

    async def delete_group(self) -> None:
        """Delete the group, which has no members, and its offsets."""


Test = Callable[[World], Coroutine[Any, Any, None]]


class Backend(Protocol):
    """Runs a test in a world of its own."""

    def run(self, topics: Sequence[str], test: Test) -> None:
        """Run a test.

        Args:
            topics: The topics that it needs.
            test: The test.

        """


class SimulatedBackend:
    """The broker in memory, without any fault."""

    def run(self, topics: Sequence[str], test: Test) -> None:
        """Run a test in virtual time."""
        del topics

        async def main() -> None:
            await test(_SimulatedWorld())

        simulate(Random(1), lambda _loop: main())  # noqa: S311 - the same in each run


class _SimulatedWorld:
    def __init__(self) -> None:
        self._broker = Broker(Random(2), PARTITIONS, lambda _record: None)  # noqa: S311 - the same in each run
        self._broker.faulty = False
        self._broker.compaction_lag_seconds = LAG_SECONDS
        self._group = Group(self._broker, lambda _offsets: None)
        Process("coordinator").run(self._group.run())

    def changelog(self, topic: str) -> ChangelogTopic:
        link = Link(self._broker)
        return SimulatedChangelog(link, topic, _StartedPublisher(link))

    def member(self, topics: Sequence[str]) -> Membership:
        return SimulatedMembership(Link(self._broker), self._group, topics)

    def source(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(topic, partition)

    async def put(
        self, topic: str, partition: int, value: bytes, key: bytes = b"key", stamp: Stamp | None = None
    ) -> None:
        self._broker.topic(topic)[partition].append(key, value, _headers(stamp))

    async def mark(self, topic: str, partition: int) -> None:
        await self.put(topic, partition, b"in a transaction")
        self._broker.topic(topic)[partition].skip()

    async def put_out(self, member: Membership) -> None:
        assert isinstance(member, SimulatedMembership)
        self._group.leave(member)

    async def delete_group(self) -> None:
        self._group.forget(with_offsets=True)


class _StartedPublisher(SimulatedPublisher):
    """A simulated publisher that starts by itself."""

    async def append(self, topic: str, partition: int, key: bytes, value: bytes | None, headers: Headers) -> None:
        if self._decided is None:
            await self.start()
        await super().append(topic, partition, key, value, headers)


class KafkaBackend:
    """A real Kafka."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        """Take where it is, and the prefix of the topics."""
        self._bootstrap = bootstrap
        self._prefix = prefix

    def run(self, topics: Sequence[str], test: Test) -> None:
        """Run a test with topics of its own."""
        asyncio.run(self._run(topics, test))

    async def _run(self, topics: Sequence[str], test: Test) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        names = [f"{self._prefix}{topic}" for topic in topics]
        settings = {"cleanup.policy": "compact", "min.compaction.lag.ms": str(int(LAG_SECONDS * 1000))}
        await admin.create_topics([NewTopic(name, PARTITIONS, 1, topic_configs=settings) for name in names])
        await admin.close()
        await await_leaders(
            KafkaConnection(self._bootstrap),
            [TopicPartition(name, each) for name in names for each in range(PARTITIONS)],
        )
        async with _kafka_world(self._bootstrap, self._prefix) as world:
            await test(world)


@asynccontextmanager
async def _kafka_world(bootstrap: str, prefix: str) -> AsyncIterator["_KafkaWorld"]:
    async with AsyncExitStack() as stack:
        publisher = Publisher(KafkaConnection(bootstrap), prefix, "test")
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{prefix}test")
        await producer.start()
        stack.push_async_callback(producer.stop)
        yield _KafkaWorld(bootstrap, prefix, publisher, producer)


class _KafkaWorld:
    def __init__(self, bootstrap: str, prefix: str, publisher: Publisher, producer: AIOKafkaProducer) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._publisher = publisher
        self._producer = producer

    @property
    def _group(self) -> str:
        return f"{self._prefix}group"

    def changelog(self, topic: str) -> ChangelogTopic:
        return KafkaChangelog(KafkaConnection(self._bootstrap), f"{self._prefix}{topic}", self._publisher)

    def member(self, topics: Sequence[str]) -> Membership:
        names = [f"{self._prefix}{topic}" for topic in topics]
        return KafkaMembership(KafkaConnection(self._bootstrap), self._group, names, SESSION_SECONDS)

    def source(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(f"{self._prefix}{topic}", partition)

    async def put(
        self, topic: str, partition: int, value: bytes, key: bytes = b"key", stamp: Stamp | None = None
    ) -> None:
        await self._publisher.append(f"{self._prefix}{topic}", partition, key, value, _headers(stamp))

    async def mark(self, topic: str, partition: int) -> None:
        async with self._producer.transaction():
            await self._producer.send_and_wait(f"{self._prefix}{topic}", b"in a transaction", b"key", partition)

    async def put_out(self, member: Membership) -> None:
        assert isinstance(member, KafkaMembership)
        await put_out(self._bootstrap, self._group, member._coordinator.member_id)  # noqa: SLF001 - as Kafka knows it

    async def delete_group(self) -> None:
        await delete_group(self._bootstrap, self._group)


def _headers(stamp: Stamp | None) -> Headers:
    return [] if stamp is None else [stamp.header()]


async def read_all(reader: LogReader, count: int) -> Mapping[int, list[bytes | None]]:
    """Read until there are so many records; return their values by partition."""
    found: dict[int, list[bytes | None]] = {}
    while sum(map(len, found.values())) < count:
        for partition, records in (await reader.read()).items():
            found.setdefault(partition, []).extend(each.value for each in records)
    return found
