"""Kafka in memory, with what hurts: late, lost and reordered acknowledgements, compaction, groups that put members out."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from aiokafka.errors import KafkaTimeoutError

from lab.simulation.loop import EPOCH_SECONDS, Process
from schemas.codec import Headers
from services.common.kafka.partitions import partition_of

SLOWEST_SECONDS: Final = 0.05
ACK_LOST: Final = 0.002
"""How often an acknowledgement never comes, though the record is in the log."""
NEVER_SENT: Final = 0.001
"""How often a record is not in the log, and its sender is told so late."""
PRODUCER_SECONDS: Final = 40.0


@dataclass(frozen=True, slots=True)
class SimulatedRecord:
    """A record, of the shape of aiokafka's."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers = ()


Sending = tuple["Partition", bytes | None, bytes | None, Headers, "asyncio.Future[object]"]


class Partition:
    """The log of one partition: records by offset, with gaps where compaction took some."""

    def __init__(self, topic: str, number: int) -> None:
        self.topic = topic
        self.number = number
        self.records: list[SimulatedRecord] = []
        self.end = 0
        self.waiters: list[asyncio.Future[None]] = []

    def append(self, key: bytes | None, value: bytes | None, headers: Headers) -> SimulatedRecord:
        """Append a record."""
        at = int((EPOCH_SECONDS + asyncio.get_running_loop().time()) * 1000)
        record = SimulatedRecord(self.topic, self.number, self.end, at, key, value, tuple(headers))
        self.records.append(record)
        self.end += 1
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        return record

    def since(self, offset: int, most: int) -> Sequence[SimulatedRecord]:
        """Return records from an offset on."""
        low, high = 0, len(self.records)
        while low < high:
            middle = (low + high) // 2
            if self.records[middle].offset < offset:
                low = middle + 1
            else:
                high = middle
        return self.records[low : low + most]

    def compact(self, before: int) -> None:
        """Keep the last record of each key among those stamped before a Unix time in milliseconds."""
        last = {record.key: record.offset for record in self.records if record.timestamp < before}
        self.records = [each for each in self.records if each.timestamp >= before or last[each.key] == each.offset]


class Broker:
    """Topics, and the way to them."""

    def __init__(self, random: Random, partitions: int) -> None:
        """Take what decides, and how many partitions each topic has."""
        self.random = random
        self.partitions = partitions
        self.faulty = True
        self.compaction_lag_seconds = 60.0
        self._topics: dict[str, list[Partition]] = {}

    def topic(self, name: str) -> list[Partition]:
        """Return a topic's partitions."""
        if name not in self._topics:
            self._topics[name] = [Partition(name, number) for number in range(self.partitions)]
        return self._topics[name]

    async def latency(self) -> None:
        """Wait as the network does."""
        await asyncio.sleep(self.random.random() ** 3 * SLOWEST_SECONDS)

    def luck(self, chance: float) -> bool:
        """Return whether something rare happens now."""
        return self.faulty and self.random.random() < chance


class SimulatedProducer:
    """A process' producer: idempotent, one request after the other, so that its records keep their order."""

    def __init__(self, broker: Broker) -> None:
        """Take the broker."""
        self._broker = broker
        self._queue: list[Sending] = []
        self._sending = False
        self._broken = False

    async def send(
        self,
        topic: str,
        value: bytes | None = None,
        key: bytes | None = None,
        partition: int | None = None,
        *,
        headers: Headers,
    ) -> "asyncio.Future[object]":
        """Take a record."""
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        number = partition_of(key or b"", self._broker.partitions) if partition is None else partition
        self._queue.append((self._broker.topic(topic)[number], key, value, headers, future))
        if not self._sending:
            self._sending = True
            # The network's work: what a process has sent arrives, whatever becomes of the process.
            Process("network").run(self._send_all())
        return future

    async def _send_all(self) -> None:
        while self._queue:
            batch, self._queue = self._queue, []
            await self._broker.latency()
            if self._broken or self._broker.luck(NEVER_SENT):
                self._broken = True
                await asyncio.sleep(PRODUCER_SECONDS)
                _fail(batch)
                continue
            for partition, key, value, headers, _future in batch:
                partition.append(key, value, headers)
            if self._broker.luck(ACK_LOST):
                self._broken = True
                await asyncio.sleep(PRODUCER_SECONDS)
                _fail(batch)
                continue
            await self._broker.latency()
            for *_record, future in batch:
                if not future.done():
                    future.set_result(None)
        self._sending = False


def _fail(batch: Sequence[Sending]) -> None:
    for *_record, future in batch:
        if not future.done():
            future.set_exception(KafkaTimeoutError())
            future.exception()  # nobody may be left to ask
