"""A feed of numbered commands to the simulation's toy service, and a tally of lost and repeated ones."""

import asyncio
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from lab.simulation.toy import LETTERS, NUMBERS, RESULTS, TABLE, AddLetter, AddNumber
from operations.topics import await_leaders
from schemas.codec import Event, Headers, Record, encode
from services.common.clock import now
from services.common.kafka.connection import KafkaConnection
from services.common.rows.changelog import PartitionState, read_records
from tests.groups import delete_group
from tests.polling import DEADLINE_SECONDS

POLL_SECONDS: Final = 0.05
KEYS: Final = 24
CHANGELOG: Final = TABLE.changelog.name
ReadRecord: TypeAlias = "ConsumerRecord[bytes, bytes]"


@dataclass(frozen=True)
class Tally:
    """The commands that were not decided exactly once.

    Attributes:
        lost: Numbers that no row has.
        doubled: Numbers that rows have more than once.
        unpublished: Numbers whose message is missing.
        contradicted: Numbers whose messages tell of something else than the row that counts.

    """

    lost: list[int]
    doubled: list[int]
    unpublished: list[int]
    contradicted: list[int]


NOTHING_WRONG: Final = Tally([], [], [], [])


@dataclass
class Ledger:
    """The topics of one group of workers.

    Attributes:
        bootstrap: Kafka's ``host:port``.
        prefix: What stands before the topics' names.
        partitions: How many partitions each topic has.
        sent: The keys of the commands that were fed, by number.

    """

    bootstrap: str
    prefix: str
    partitions: int
    sent: dict[int, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The consumer group."""
        return f"{self.prefix}{TABLE.service}"

    async def provision(self) -> None:
        """Create the topics, and wait until they are usable."""
        policies = {NUMBERS.name: "delete", LETTERS.name: "delete", RESULTS.name: "delete", CHANGELOG: "compact"}
        policies = {f"{self.prefix}{name}": policy for name, policy in policies.items()}
        async with self._admin() as admin:
            await admin.create_topics(
                [
                    NewTopic(name, self.partitions, 1, topic_configs={"cleanup.policy": policy})
                    for name, policy in policies.items()
                ]
            )
        await await_leaders(
            KafkaConnection(self.bootstrap),
            [TopicPartition(name, number) for name in policies for number in range(self.partitions)],
        )

    async def append(self, key: bytes, value: bytes | None, headers: Headers) -> None:
        """Append a record to the changelog, as another writer."""
        async with self._producer() as producer:
            await producer.send_and_wait(f"{self.prefix}{CHANGELOG}", key=key, value=value, headers=list(headers))

    async def command(self, key: str) -> int:
        """Feed one command and return its number."""
        async with self._producer() as producer:
            await self._send(producer, key)
        return max(self.sent)

    @asynccontextmanager
    async def feed(self, per_second: int) -> AsyncIterator[None]:
        """Feed commands, key after key, until the block ends."""
        ended = asyncio.Event()
        async with self._producer() as producer:
            feeder = asyncio.create_task(self._feed(producer, per_second, ended))
            try:
                yield
            finally:
                ended.set()
                await feeder

    async def drained(self) -> None:
        """Wait until the group has committed all commands; fail if it makes no progress."""
        async with self._admin() as admin:
            topics = [f"{self.prefix}{topic.name}" for topic in TABLE.reads]
            ends = {each: end for topic in topics for each, end in (await self._ends(topic)).items() if end}
            least, deadline = sum(ends.values()), math.inf
            while least:
                known = await admin.list_consumer_group_offsets(self.group)
                left = sum(end - known[each].offset if each in known else end for each, end in ends.items())
                if left < least or deadline == math.inf:
                    least, deadline = left, time.monotonic() + DEADLINE_SECONDS
                assert time.monotonic() < deadline, f"{left} of {ends} are not committed: {known}"
                await asyncio.sleep(POLL_SECONDS)

    async def decided(self, key: str) -> None:
        """Wait until a key has a row."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while key not in await self.rows():
            assert time.monotonic() < deadline, f"{key!r} has no row"
            await asyncio.sleep(POLL_SECONDS)

    async def rows(self) -> dict[str, list[int]]:
        """Return each key's numbers in the row that counts."""
        states, rows = defaultdict[int, PartitionState](PartitionState), dict[str, list[int]]()
        for record in await self.read(CHANGELOG):
            changes = read_records(states[record.partition], record.partition, self.partitions, [record])
            states[record.partition] = changes.state
            for key, row in changes.rows.items():
                rows[key.decode()] = json.loads(row or b'{"numbers": []}')["numbers"]
        return rows

    async def tally(self) -> Tally:
        """Compare the commands with the rows and the published messages."""
        rows = await self.rows()
        counted = Counter(number for numbers in rows.values() for number in numbers)
        published = defaultdict[int, set[tuple[int, ...]]](set)
        for record in await self.read(RESULTS.name):
            message = json.loads(record.value or b"{}")
            published[message["number"]].add(tuple(message["before"]))
        before = {number: {tuple(numbers[:place])} for numbers in rows.values() for place, number in enumerate(numbers)}
        return Tally(
            lost=[number for number in self.sent if not counted[number]],
            doubled=[number for number, times in counted.items() if times > 1],
            unpublished=[number for number in self.sent if number not in published],
            contradicted=[number for number, told in published.items() if told != before.get(number)],
        )

    async def delete_group(self) -> None:
        """Delete the consumer group and its offsets, as an operator may."""
        await delete_group(self.bootstrap, self.group)

    async def read(self, topic: str) -> list[ReadRecord]:
        """Return all records of a topic, in order within each partition."""
        ends = await self._ends(f"{self.prefix}{topic}")
        records: list[ReadRecord] = []
        async with self._consumer() as consumer:
            consumer.assign(list(ends))
            await consumer.seek_to_beginning()
            while any([await consumer.position(each) < end for each, end in ends.items()]):
                for batch in (await consumer.getmany(timeout_ms=100)).values():
                    records.extend(batch)
        return records

    async def _ends(self, topic: str) -> dict[TopicPartition, int]:
        async with self._consumer() as consumer:
            return dict(await consumer.end_offsets([TopicPartition(topic, each) for each in range(self.partitions)]))

    async def _feed(self, producer: AIOKafkaProducer, per_second: int, ended: asyncio.Event) -> None:
        begin, first = time.monotonic(), len(self.sent)
        while not ended.is_set():
            while len(self.sent) - first < (time.monotonic() - begin) * per_second:
                await self._send(producer, f"key-{len(self.sent) % KEYS}")
            await asyncio.sleep(1 / per_second)

    async def _send(self, producer: AIOKafkaProducer, key: str) -> None:
        number, at = len(self.sent), now()
        self.sent[number] = key
        model = AddLetter if number % 3 == 2 else AddNumber
        record: Record = encode(Event(f"e{number}", at, "test", "", model(at=at, name=key, number=number)))
        topic = f"{self.prefix}{record.topic}"
        await producer.send_and_wait(topic, key=record.key, value=record.value, headers=record.headers)

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True)
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator["AIOKafkaConsumer[Any, Any]"]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()
