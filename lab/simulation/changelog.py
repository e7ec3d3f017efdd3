"""A changelog topic and a copy's disk in memory."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from random import Random

from aiokafka.errors import KafkaError

from lab.simulation.broker import Broker, SimulatedProducer
from schemas.codec import Headers
from services.common.kafka.log import Bounds, LogReader, LogRecord
from services.common.kafka.publisher import NotAcknowledgedError
from services.common.kafka.topic_facts import TopicFacts
from services.common.rows.changelog import Changes, PartitionState, VoidRecord
from services.common.rows.store import Origin, RowStore

POLL_SECONDS = 1.0
MOST_RECORDS = 20
DELETE_RETENTION_SECONDS = 86_400.0


class SimulatedReader:
    """Reads a topic's partitions, one fetch after the other."""

    def __init__(self, broker: Broker, topic: str) -> None:
        """Start at the beginnings."""
        self._broker = broker
        self._logs = broker.topic(topic)
        self._positions = dict.fromkeys(range(len(self._logs)), 0)

    async def bounds(self) -> Mapping[int, Bounds]:
        """Ask for the offsets that each partition has."""
        await self._broker.latency()
        found = {log.number: Bounds(0, log.end) for log in self._logs}
        await self._broker.latency()
        return found

    def seek(self, offsets: Mapping[int, int]) -> None:
        """Go on reading at the given offsets."""
        self._positions.update(offsets)

    async def position(self, partition: int) -> int:
        """Return the offset of the next record to read."""
        return self._positions[partition]

    async def read(self) -> Mapping[int, Sequence[LogRecord]]:
        """Return the next records by partition; waits for them up to a second."""
        if not any(log.end > self._positions[log.number] for log in self._logs):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            for log in self._logs:
                log.waiters.append(waiter)
            await asyncio.wait([waiter], timeout=POLL_SECONDS)
            waiter.cancel()
        most = self._broker.random.randint(1, MOST_RECORDS)
        found = {log.number: log.since(self._positions[log.number], most) for log in self._logs}
        ends = {log.number: log.end for log in self._logs}
        await self._broker.latency()
        for number, records in found.items():
            # Behind the last record may lie a gap.
            self._positions[number] = records[-1].offset + 1 if len(records) == most else ends[number]
        return {number: records for number, records in found.items() if records}

    @property
    def partitions(self) -> int:
        """The topic's number of partitions."""
        return len(self._logs)

    async def lag(self) -> int:
        """Return the number of unread records."""
        return sum(log.end - self._positions[log.number] for log in self._logs)

    def settle(self) -> None:
        """The reader has caught up."""

    async def stop(self) -> None:
        """Disconnect."""


class SimulatedChangelog:
    """A changelog topic in memory."""

    def __init__(self, broker: Broker, name: str, producer: SimulatedProducer) -> None:
        """Take the topic and the process' producer."""
        self.name = name
        self._broker = broker
        self._producer = producer

    async def facts(self) -> TopicFacts:
        """Return the topic's identity and settings."""
        await self._broker.latency()
        return TopicFacts(f"cluster/{self.name}", DELETE_RETENTION_SECONDS, self._broker.compaction_lag_seconds)

    async def reader(self) -> LogReader:
        """Start a reader."""
        await self._broker.latency()
        return SimulatedReader(self._broker, self.name)

    def append(self, partition: int, key: bytes, value: bytes | None, headers: Headers) -> Awaitable[None]:
        """Append a record."""
        return self._append(partition, key, value, headers)

    async def _append(self, partition: int, key: bytes, value: bytes | None, headers: Headers) -> None:
        try:
            await (await self._producer.send(self.name, key=key, value=value, partition=partition, headers=headers))
        except KafkaError as error:
            raise NotAcknowledgedError from error


class MemoryStore:
    """A copy's store whose last writes a crash may take, but no write in part."""

    def __init__(self) -> None:
        """Make an empty one."""
        self.origin: Origin | None = None
        self.rows: dict[bytes, bytes] = {}
        self.states: dict[int, PartitionState] = {}
        self.void: dict[int, dict[bytes, int]] = {}
        self._voids: dict[tuple[int, bytes], VoidRecord] = {}

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None."""
        return self.rows.get(key)

    def size(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys."""
        return sorted((key, row) for key, row in self.rows.items() if key > after)[:limit]

    def begin(self, origin: Origin) -> None:
        """Note what it is a copy of."""
        self.origin = origin

    def write(self, partition: int, changes: Changes) -> None:
        """Write what records of a partition change."""
        for key, row in changes.rows.items():
            if row is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        void = self.void.setdefault(partition, {})
        for key, record in changes.void.items():
            if record is None:
                void.pop(key, None)
            else:
                void[key] = record.at
                self._voids[partition, key] = record
        self.states[partition] = changes.state

    def void_record(self, partition: int, key: bytes) -> VoidRecord | None:
        """Return the void record on top of a key's row, or None."""
        return self._voids.get((partition, key)) if key in self.void.get(partition, {}) else None

    def close(self) -> None:
        """Close it."""

    def copy(self) -> "MemoryStore":
        """Return what a crash leaves if it comes now."""
        twin = MemoryStore()
        twin.origin, twin.rows, twin.states = self.origin, dict(self.rows), dict(self.states)
        twin.void, twin._voids = {each: dict(keys) for each, keys in self.void.items()}, dict(self._voids)
        return twin


class MemoryDisk:
    """Where a simulated instance keeps a copy over its restarts."""

    def __init__(self, random: Random) -> None:
        """Take what decides how much a crash takes."""
        self._random = random
        self._store = MemoryStore()
        self._saved: MemoryStore | None = None

    def open(self) -> RowStore:
        """Open the store."""
        return self._store

    def drop(self) -> None:
        """Remove the store."""
        self._store = MemoryStore()
        self._saved = None

    def save(self) -> None:
        """Note what a crash from now on leaves at the least."""
        self._saved = self._store.copy()

    def crash(self) -> None:
        """Lose what was written since a while, or nothing, or all of it."""
        chance = self._random.random()
        if chance < 0.1:  # noqa: PLR2004 - a machine that is lost with its disk
            self.drop()
        elif chance < 0.5 and self._saved is not None:  # noqa: PLR2004 - a loss of power
            self._store = self._saved.copy()
