"""A feed of numbered events, and a tally of lost and repeated ones."""

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

from operations.topics import await_leaders
from services.common.rows.stamps import Headers, is_newer
from tests.polling import DEADLINE_SECONDS

POLL_SECONDS: Final = 0.05
KEYS: Final = 24
Record: TypeAlias = "ConsumerRecord[bytes, bytes]"


@dataclass(frozen=True)
class Tally:
    """The events that were not decided exactly once.

    Attributes:
        lost: Numbers of events that no row has.
        doubled: Numbers that rows have more than once.
        contradicted: Numbers that were published with different places among their row's events: decided twice.

    """

    lost: list[int]
    doubled: list[int]
    contradicted: list[int]

    @property
    def exact(self) -> bool:
        """Whether every event was decided exactly once."""
        return not (self.lost or self.doubled or self.contradicted)


@dataclass
class Ledger:
    """The topics of one group of workers.

    Attributes:
        bootstrap: Kafka's ``host:port``.
        prefix: What stands before the topics' names.
        partitions: How many partitions each topic has.
        sent: The keys of the events that were fed, by number.

    """

    bootstrap: str
    prefix: str
    partitions: int
    sent: dict[int, bytes] = field(default_factory=dict)

    @property
    def events(self) -> str:
        """The topic of the events."""
        return f"{self.prefix}events"

    @property
    def decisions(self) -> str:
        """The topic of the published decisions."""
        return f"{self.prefix}decisions"

    @property
    def changelog(self) -> str:
        """The table's changelog topic."""
        return f"{self.prefix}group-counts-changelog"

    async def provision(self) -> None:
        """Create the topics, and wait until they are usable: a worker ignores a missing topic for minutes."""
        policies = {self.events: "delete", self.decisions: "delete", self.changelog: "compact"}
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.create_topics(
            [
                NewTopic(name, self.partitions, 1, topic_configs={"cleanup.policy": policy})
                for name, policy in policies.items()
            ]
        )
        await admin.close()
        await await_leaders(
            self.bootstrap, [TopicPartition(name, number) for name in policies for number in range(self.partitions)]
        )

    async def send(self, topic: str, key: bytes, value: bytes | None, headers: Headers = ()) -> None:
        """Send one record and wait until Kafka has it."""
        async with self._producer() as producer:
            await producer.send_and_wait(topic, key=key, value=value, headers=list(headers))

    async def event(self, key: bytes) -> int:
        """Feed one event and return its number."""
        number = len(self.sent)
        self.sent[number] = key
        await self.send(self.events, key, str(number).encode())
        return number

    @asynccontextmanager
    async def feed(self, per_second: int) -> AsyncIterator[None]:
        """Feed events, key after key, until the block ends."""
        ended = asyncio.Event()
        async with self._producer() as producer:
            feeder = asyncio.create_task(self._feed(producer, per_second, ended))
            try:
                yield
            finally:
                ended.set()
                await feeder

    async def drained(self) -> None:
        """Wait until the group has committed all events; fail if it makes no progress."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            ends = {each: end for each, end in (await self._ends(self.events)).items() if end}
            least, deadline = sum(ends.values()), math.inf
            while least:
                known = await admin.list_consumer_group_offsets(f"{self.prefix}group")
                left = sum(end - known[each].offset if each in known else end for each, end in ends.items())
                if left < least or deadline == math.inf:
                    least, deadline = left, time.monotonic() + DEADLINE_SECONDS
                assert time.monotonic() < deadline, f"{left} of {ends} are not committed: {known}"
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await admin.close()

    async def decided(self, key: bytes) -> None:
        """Wait until a key has a row."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while key not in await self.rows():
            assert time.monotonic() < deadline, f"{key!r} has no row"
            await asyncio.sleep(POLL_SECONDS)

    async def rows(self) -> dict[bytes, list[int]]:
        """Return each key's numbers in its newest row."""
        values: dict[bytes, bytes | None] = {}
        for record in await self.read(self.changelog):
            key = record.key or b""
            if is_newer(record.value, values.get(key), record.headers):
                values[key] = record.value
        return {key: json.loads(value)["numbers"] for key, value in values.items() if value is not None}

    async def tally(self) -> Tally:
        """Compare the events with the rows and the published decisions."""
        counted = Counter(number for numbers in (await self.rows()).values() for number in numbers)
        places: dict[int, set[int]] = defaultdict(set)
        for record in await self.read(self.decisions):
            number, place = (int(part) for part in (record.value or b"").split())
            places[number].add(place)
        return Tally(
            lost=[number for number in self.sent if not counted[number]],
            doubled=[number for number, times in counted.items() if times > 1],
            contradicted=[number for number, known in places.items() if len(known) > 1],
        )

    async def read(self, topic: str) -> list[Record]:
        """Return all records of a topic, in order within each partition."""
        ends = await self._ends(topic)
        records: list[Record] = []
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
                number = len(self.sent)
                self.sent[number] = f"key-{number % KEYS}".encode()
                await producer.send(self.events, key=self.sent[number], value=str(number).encode())
            await asyncio.sleep(1 / per_second)

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
