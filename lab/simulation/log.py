"""A changelog topic in memory: the interfaces that a copy and an owner know, on simulated logs."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Final

from lab.simulation.broker import Broker, Link
from schemas.codec import Headers
from services.common.kafka.log import Bounds, LogReader, LogRecord
from services.common.kafka.publisher import Publisher
from services.common.kafka.topic_facts import TopicFacts

POLL_SECONDS: Final = 1.0
MOST_RECORDS: Final = 20
DELETE_RETENTION_SECONDS: Final = 86_400.0


class SimulatedReader:
    """Reads a topic's partitions, one fetch after the other."""

    def __init__(self, link: Link, topic: str) -> None:
        """Start at the beginnings."""
        self._link = link
        self._random = link.broker.random
        self._logs = link.broker.topic(topic)
        self._positions = dict.fromkeys(range(len(self._logs)), 0)

    async def bounds(self) -> Mapping[int, Bounds]:
        """Ask for the offsets that each partition has."""
        await self._link.latency()
        found = {log.number: Bounds(0, log.end) for log in self._logs}
        await self._link.latency()
        return found

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on reading at the given offsets."""
        self._positions.update(offsets)

    async def position(self, partition: int) -> int:
        """Return the offset of the next record to read."""
        return self._positions[partition]

    async def read(self) -> Mapping[int, Sequence[LogRecord]]:
        """Return the next records by partition; waits for them up to a second."""
        if all(log.end == self._positions[log.number] for log in self._logs):
            await self._wait()
        most = self._random.randint(1, MOST_RECORDS)
        for log in self._logs:
            if self._positions[log.number] > log.end:
                self._positions[log.number] = 0  # out of range: from the beginning
        # Behind the last record may lie a gap.
        found = {log.number: (log.since(self._positions[log.number], most), log.end) for log in self._logs}
        await self._link.read_latency()
        for number, (records, end) in found.items():
            self._positions[number] = records[-1].offset + 1 if len(records) == most else end
        return {number: records for number, (records, _end) in found.items() if records}

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        for log in self._logs:
            log.waiters.append(waiter)
        timer = loop.call_later(POLL_SECONDS, _wake, waiter)
        await waiter
        timer.cancel()

    @property
    def partitions(self) -> int:
        """The topic's number of partitions."""
        return len(self._logs)

    async def lag(self) -> int:
        """Return the number of unread records."""
        return sum(max(0, log.end - self._positions[log.number]) for log in self._logs)

    def settle(self) -> None:
        """The reader has caught up."""

    async def stop(self) -> None:
        """Disconnect."""


class SimulatedChangelog:
    """A changelog topic in memory."""

    def __init__(self, link: Link, name: str, publisher: Publisher) -> None:
        """Take the topic.

        Args:
            link: The process' link to the broker.
            name: The topic's name.
            publisher: Appends the records, in one order with what else it publishes.

        """
        self.name = name
        self._link = link
        self._publisher = publisher

    async def facts(self) -> TopicFacts:
        """Return the topic's identity and settings."""
        await self._link.latency()
        broker: Broker = self._link.broker
        return TopicFacts(f"cluster/{self.name}", DELETE_RETENTION_SECONDS, broker.compaction_lag_seconds)

    async def reader(self) -> LogReader:
        """Start a reader."""
        await self._link.latency()
        return SimulatedReader(self._link, self.name)

    def append(self, partition: int, key: bytes, value: bytes | None, headers: Headers) -> Awaitable[None]:
        """Append a record."""
        return self._publisher.append(self.name, partition, key, value, headers)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
