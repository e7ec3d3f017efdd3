"""A consumer group in memory: members join, are put out, and take over; offsets are committed by generation."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import IllegalGenerationError

from lab.simulation.broker import Broker
from services.common.kafka.membership import AssignmentListener, SourceRecord

SESSION_SECONDS: Final = 6.0
HEARTBEAT_SECONDS: Final = 0.5
REBALANCE_SECONDS: Final = 30.0
MOST_RECORDS: Final = 16
POLL_SECONDS: Final = 5.0


class Group:
    """The coordinator's side of a group."""

    def __init__(self, broker: Broker, topics: Sequence[str]) -> None:
        """Take the topics that all members read."""
        self.broker = broker
        self.topics = topics
        self.generation = 0
        self.offsets: dict[TopicPartition, int] = {}
        self.members: dict[SimulatedMembership, float] = {}
        self.joined: dict[SimulatedMembership, None] = {}
        self.assignments: dict[SimulatedMembership, frozenset[TopicPartition]] = {}
        self.rebalancing = False
        self._complete = asyncio.Event()

    def heartbeat(self, member: "SimulatedMembership", generation: int) -> str:
        """Take a heartbeat; returns ``ok``, ``rebalance`` or ``unknown``."""
        if member not in self.members or generation != self.generation:
            return "unknown"
        self.members[member] = asyncio.get_running_loop().time()
        return "rebalance" if self.rebalancing else "ok"

    async def join(self, member: "SimulatedMembership") -> tuple[int, frozenset[TopicPartition]]:
        """Join, and wait for the assignment."""
        self.members[member] = asyncio.get_running_loop().time()
        self.joined[member] = None
        if not self.rebalancing:
            self.rebalancing = True
            self._complete = asyncio.Event()
            self._deadline = asyncio.get_running_loop().time() + REBALANCE_SECONDS
        complete = self._complete
        await complete.wait()
        return self.generation, self.assignments.get(member, frozenset())

    def leave(self, member: "SimulatedMembership") -> None:
        """Take a member out, as it asks or because its heartbeats stay away."""
        if self.members.pop(member, None) is not None:
            self.joined.pop(member, None)
            self.assignments.pop(member, None)
            if self.members and not self.rebalancing:
                self.rebalancing = True
                self._complete = asyncio.Event()
                self._deadline = asyncio.get_running_loop().time() + REBALANCE_SECONDS

    def forget(self) -> None:
        """Delete the group, as an operator may, or Kafka after a week: generations begin at 1 again."""
        self.members.clear()
        self.joined.clear()
        self.assignments.clear()
        self.generation = 0
        self.rebalancing = False
        self._complete.set()

    async def run(self) -> None:
        """Put members out, and complete rebalances."""
        while True:
            await asyncio.sleep(0.1)
            now = asyncio.get_running_loop().time()
            for member, seen in list(self.members.items()):
                if now - seen > SESSION_SECONDS and member not in self.joined:
                    self.leave(member)
            if self.rebalancing and (self.joined.keys() >= self.members.keys() or now > self._deadline):
                for member in [each for each in self.members if each not in self.joined]:
                    del self.members[member]
                if self.joined:
                    self._assign()

    def _assign(self) -> None:
        self.generation += 1
        members = list(self.joined)
        self.broker.random.shuffle(members)
        self.assignments = {
            member: frozenset(
                TopicPartition(topic, number)
                for topic in self.topics
                for number in range(self.broker.partitions)
                if number % len(members) == place
            )
            for place, member in enumerate(members)
        }
        now = asyncio.get_running_loop().time()
        self.members = dict.fromkeys(members, now)
        self.joined.clear()
        self.rebalancing = False
        self._complete.set()


class SimulatedMembership:
    """A member of the group."""

    def __init__(self, group: Group) -> None:
        """Take the group."""
        self._group = group
        self._generation = -1
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._beats = asyncio.Event()
        self._sent_at = -1.0
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, listener: AssignmentListener, take: Callable[[Sequence[SourceRecord]], None]) -> None:
        """Be a member until cancelled."""
        broker = self._group.broker
        lost = True
        while True:
            if self._assigned:
                await self._revoke(listener, lost=lost)
            await broker.latency()
            generation, assigned = await self._group.join(self)
            await broker.latency()
            self._generation, self._assigned = generation, assigned
            self._positions = {each: self._group.offsets.get(each, 0) for each in assigned}
            self._paused = set()
            await listener.assigned(assigned)
            fetching = asyncio.create_task(self._fetch(take))
            lost = await self._beat()
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _revoke(self, listener: AssignmentListener, *, lost: bool) -> None:
        """Have the partitions given up while heartbeats go on, as aiokafka does."""
        beating = asyncio.create_task(self._beat(until_unknown=True))
        await listener.revoked(lost=lost)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        self._assigned = frozenset()
        self._generation = -1

    async def _beat(self, *, until_unknown: bool = False) -> bool:
        """Send heartbeats until the group rebalances; returns True if this is a member no more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            sent_at = loop.time()
            await self._group.broker.latency()
            state = self._group.heartbeat(self, self._generation)
            await self._group.broker.latency()
            if state == "unknown":
                return True
            self._sent_at = sent_at
            self._beats.set()
            if state == "rebalance" and not until_unknown:
                return False

    async def _fetch(self, take: Callable[[Sequence[SourceRecord]], None]) -> None:
        broker = self._group.broker
        while True:
            found = False
            for source in sorted(self._assigned):
                log = broker.topic(source.topic)[source.partition]
                records = log.since(self._positions[source], broker.random.randint(1, MOST_RECORDS))
                if source not in self._paused and records:
                    found = True
                    position = self._positions[source]
                    await broker.latency()
                    if source not in self._paused and self._positions[source] == position:
                        self._positions[source] = records[-1].offset + 1
                        take(records)
            if not found:
                await self._wait()

    async def _wait(self) -> None:
        """Wait until there may be something to fetch."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for source in sorted(self._assigned - self._paused):
            self._group.broker.topic(source.topic)[source.partition].waiters.append(waiter)
        self._waiter = waiter
        await asyncio.wait([waiter], timeout=POLL_SECONDS)
        waiter.cancel()

    def _look(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""
        self._paused.update(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""
        self._paused.difference_update(partitions)
        self._look()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""
        self._positions[partition] = offset
        self._look()

    def end(self, partition: TopicPartition) -> int | None:
        """Return a partition's end offset."""
        return self._group.broker.topic(partition.topic)[partition.partition].end

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets in the generation of the assignment."""
        generation = self._generation
        await self._group.broker.latency()
        if generation != self._group.generation or self not in self._group.members:
            raise IllegalGenerationError
        self._group.offsets.update(offsets)
        await self._group.broker.latency()

    async def confirm(self) -> None:
        """Wait for a good heartbeat that is sent from now on."""
        since = asyncio.get_running_loop().time()
        while self._sent_at < since:
            self._beats.clear()
            await self._beats.wait()
