"""Kafka's logs in memory, with what hurts: late and lost acknowledgements, compaction, gaps, lost ends of logs."""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from aiokafka.errors import KafkaTimeoutError

from lab.simulation.loop import EPOCH_SECONDS, PROCESS, Process
from schemas.codec import Headers
from services.common.kafka.partitions import partition_of

USUAL_SECONDS: Final = 0.05
"""How long a message on the network takes at most."""
SLOW_SECONDS: Final = 3.0
"""The same on a slow link."""
HELD_SECONDS: Final = 12.0
"""How long a request may stand in a broker's queue while the broker stands still."""
HELD: Final = 0.003
"""How often a request does so."""
HELD_LAST: Final = 0.3
"""How often the last request of a process that was killed does so."""
ACK_LOST: Final = 0.002
"""How often an acknowledgement never comes, though the record is in the log."""
NEVER_SENT: Final = 0.001
"""How often a record is not in the log, and its sender learns it late."""
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
    headers: Headers = field(default_factory=list)


OnAppend = Callable[[SimulatedRecord], None]


class Partition:
    """The log of one partition: records by offset, with gaps where compaction or a transaction left some.

    Attributes:
        topic: The topic's name.
        number: The partition.
        records: What compaction has left.
        end: The offset of the next record.
        waiters: Done once a record comes.
        closed_until: Until when it takes no records, as while it has no leader.

    """

    def __init__(self, topic: str, number: int, on_append: OnAppend) -> None:
        self.topic: Final = topic
        self.number: Final = number
        self.records: list[SimulatedRecord] = []
        self.end = 0
        self.waiters: list[asyncio.Future[None]] = []
        self.closed_until = 0.0
        self._on_append = on_append

    async def opened(self) -> None:
        """Wait until it takes records."""
        await asyncio.sleep(max(0.0, self.closed_until - asyncio.get_running_loop().time()))

    def append(self, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        """Append a record."""
        at = int((EPOCH_SECONDS + asyncio.get_running_loop().time()) * 1000)
        record = SimulatedRecord(self.topic, self.number, self.end, at, key, value, headers)
        self.records.append(record)
        self.end += 1
        self.wake()
        self._on_append(record)

    def wake(self) -> None:
        """Have all who wait for a record look."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def since(self, offset: int, most: int) -> Sequence[SimulatedRecord]:
        """Return records from an offset on."""
        if not self.records or self.records[-1].offset < offset:
            return ()
        low = bisect_left(self.records, offset, key=_offset)
        return self.records[low : low + most]

    def last_offset(self) -> int:
        """Return the offset behind the last record."""
        return self.records[-1].offset + 1 if self.records else 0

    def skip(self) -> None:
        """Leave a gap at the end, as the marker of a transaction does."""
        self.end += 1

    def compact(self, end: int, before: int) -> None:
        """Keep the last record of each key among the first ones.

        Args:
            end: The offset behind the last record that is looked at.
            before: Records as young as this are left alone, and all behind them; Unix time in milliseconds.

        """
        old = next((each.offset for each in self.records if each.timestamp >= before), end)
        self.records = compacted(self.records, min(end, old))

    def cut(self, lost: int, until: float) -> None:
        """Lose the last records, as a loss of power of all replicas does, and take none for a while."""
        self.end = max(0, self.end - lost)
        self.records = [each for each in self.records if each.offset < self.end]
        self.closed_until = until
        self.wake()


def compacted(records: Sequence[SimulatedRecord], end: int) -> list[SimulatedRecord]:
    """Return what compaction leaves of a log: of the records before an offset, the last one of each key."""
    last = {each.key: each.offset for each in records if each.offset < end}
    return [each for each in records if each.offset >= end or last[each.key] == each.offset]


class Broker:
    """Topics, and what may go wrong by itself.

    Attributes:
        random: Decides.
        partitions: How many partitions each topic has.
        faulty: True while anything may go wrong by itself.
        power_losses: How often all brokers lost power. Requests on their way are lost with it.
        compaction_lag_seconds: The minimum age of a record that compaction takes into account.

    """

    def __init__(self, random: Random, partitions: int, on_append: OnAppend) -> None:
        """Make an empty one.

        Args:
            random: Decides.
            partitions: How many partitions each topic has.
            on_append: Takes each record that a log takes.

        """
        self.random: Final = random
        self.partitions: Final = partitions
        self.faulty = True
        self.power_losses = 0
        self.compaction_lag_seconds = 10.0
        self._topics: dict[str, list[Partition]] = {}
        self._on_append = on_append

    def topic(self, name: str) -> list[Partition]:
        """Return a topic's partitions."""
        if name not in self._topics:
            self._topics[name] = [Partition(name, number, self._on_append) for number in range(self.partitions)]
        return self._topics[name]

    def happens(self, chance: float) -> bool:
        """Return whether something rare happens now."""
        return self.faulty and self.random.random() < chance


class Link:
    """The network between a process and the broker.

    Attributes:
        slow: True while all is slow.
        slow_reads: True while the copies of logs lag behind.
        holds_next: True if a broker stands still over the next request to append records.

    """

    def __init__(self, broker: Broker) -> None:
        """Take the broker."""
        self.broker: Final = broker
        self.slow = False
        self.slow_reads = False
        self.holds_next = False

    async def latency(self) -> None:
        """Wait as long as a message takes."""
        await self._wait(slow=self.slow)

    async def read_latency(self) -> None:
        """Wait as long as records of a copy take."""
        await self._wait(slow=self.slow or self.slow_reads)

    async def _wait(self, *, slow: bool) -> None:
        most = SLOW_SECONDS if slow and self.broker.faulty else USUAL_SECONDS
        await asyncio.sleep(self.broker.random.random() ** 3 * most)

    async def hold(self, *, last: bool) -> None:
        """Wait as long as a broker stands still over a request.

        Args:
            last: True if it is the last request of a process that was killed.

        """
        broker = self.broker
        if self.holds_next or broker.happens(HELD_LAST if last else HELD):
            self.holds_next = False
            await asyncio.sleep(broker.random.random() * HELD_SECONDS)


Sending = tuple[Partition, bytes | None, bytes | None, Headers, "asyncio.Future[object]"]


class SimulatedProducer:
    """A process' producer: idempotent, one request after the other, so that its records keep their order."""

    def __init__(self, link: Link) -> None:
        """Take the link to the broker."""
        self._link = link
        self._broker = link.broker
        self._process = PROCESS.get()
        self._queue: list[Sending] = []
        self._sending = False
        self._broken = False

    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Disconnect."""

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
            # The network's work: what a process has sent arrives, whatever becomes of the process and its tasks.
            Process("network").run(self._send_all())
        return future

    async def _send_all(self) -> None:
        while self._queue and not (self._process is not None and self._process.killed):
            batch, self._queue = self._queue, []
            losses = self._broker.power_losses
            await self._link.latency()
            await self._link.hold(last=self._process is not None and self._process.killed)
            if self._broken or losses != self._broker.power_losses or self._broker.happens(NEVER_SENT):
                await self._give_up(batch)
                continue
            for partition, key, value, headers, _future in batch:
                await partition.opened()
                partition.append(key, value, headers)
            if self._broker.happens(ACK_LOST):
                await self._give_up(batch)
                continue
            await self._link.latency()
            for *_record, future in batch:
                if not future.done():
                    future.set_result(None)
        self._sending = False

    async def _give_up(self, batch: Sequence[Sending]) -> None:
        """Fail records, and all that come after them: their sequence numbers are used up."""
        self._broken = True
        await asyncio.sleep(PRODUCER_SECONDS)
        for *_record, future in batch:
            if not future.done():
                future.set_exception(KafkaTimeoutError())
                future.exception()  # the one that waited may be gone


def _offset(record: SimulatedRecord) -> int:
    return record.offset
