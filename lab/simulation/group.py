"""A consumer group in memory: members join, are put out, and take over; offsets are committed by generation."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import IllegalGenerationError

from lab.simulation.broker import Broker, Link, Partition
from services.common.kafka.membership import (
    DRAIN_SECONDS,
    LAST_DRAIN_SECONDS,
    NO_GENERATION,
    REBALANCE_SECONDS,
    AssignmentListener,
    Take,
)

SESSION_SECONDS: Final = 6.0
WATCH_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 1.0
MOST_RECORDS: Final = 16
OnCommit = Callable[[Mapping[TopicPartition, int]], None]


@dataclass(slots=True)
class _Member:
    """What the coordinator knows of a member."""

    topics: Sequence[str]
    seen_at: float
    joining: "asyncio.Future[tuple[int, frozenset[TopicPartition]]] | None" = None


class Group:
    """The coordinator's side of a group.

    Attributes:
        broker: The topics.
        offsets: The committed offsets.

    """

    def __init__(self, broker: Broker, on_commit: OnCommit) -> None:
        """Make an empty one.

        Args:
            broker: The topics.
            on_commit: Takes each commit before it counts.

        """
        self.broker = broker
        self.offsets: dict[TopicPartition, int] = {}
        self._on_commit = on_commit
        self._generation = 0
        self._members: dict[SimulatedMembership, _Member] = {}
        self._deadline: float | None = None
        """Until when a rebalance waits; None while there is none."""

    async def run(self) -> None:
        """Put out members whose heartbeats stay away, and end rebalances that wait for too long."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            now = asyncio.get_running_loop().time()
            for member, known in tuple(self._members.items()):
                if known.joining is None and now - known.seen_at > SESSION_SECONDS:
                    self.leave(member)
            if self._deadline is not None and now > self._deadline:
                for member, known in tuple(self._members.items()):
                    if known.joining is None:
                        del self._members[member]
                self._complete()

    def heartbeat(self, member: "SimulatedMembership", generation: int) -> bool | None:
        """Take a heartbeat; returns whether the group rebalances, or None if the sender is no member."""
        known = self._members.get(member)
        if known is None or generation != self._generation:
            return None
        known.seen_at = asyncio.get_running_loop().time()
        return self._deadline is not None

    async def join(
        self, member: "SimulatedMembership", topics: Sequence[str]
    ) -> tuple[int, frozenset[TopicPartition]] | None:
        """Join, and wait for the generation and the assignment; None if the group is gone meanwhile."""
        loop = asyncio.get_running_loop()
        joining: asyncio.Future[tuple[int, frozenset[TopicPartition]]] = loop.create_future()
        self._members[member] = _Member(topics, loop.time(), joining)
        self._rebalance()
        if all(known.joining is not None for known in self._members.values()):
            self._complete()
        try:
            return await joining
        except IllegalGenerationError:
            return None

    def leave(self, member: "SimulatedMembership") -> None:
        """Take a member out, as it asks or because its heartbeats stay away."""
        known = self._members.pop(member, None)
        if known is None:
            return
        _refuse(known)
        if self._members:
            self._rebalance()
            if all(known.joining is not None for known in self._members.values()):
                self._complete()

    def commit(self, member: "SimulatedMembership", generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets.

        Raises:
            IllegalGenerationError: If the sender is no member of this generation.

        """
        if member not in self._members or generation != self._generation:
            raise IllegalGenerationError
        self._on_commit(offsets)
        self.offsets.update(offsets)

    def forget(self, *, with_offsets: bool) -> None:
        """Delete the group, as an operator may, or Kafka after a week: generations begin at 1 again."""
        members, self._members = self._members, {}
        for known in members.values():
            _refuse(known)
        self._generation, self._deadline = 0, None
        if with_offsets:
            self.offsets.clear()

    def _rebalance(self) -> None:
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + REBALANCE_SECONDS

    def _complete(self) -> None:
        """Give the partitions to those that have joined: the same number of each topic to the same of its readers."""
        self._generation, self._deadline = self._generation + 1, None
        members = list(self._members)
        self.broker.random.shuffle(members)
        assigned: dict[SimulatedMembership, list[TopicPartition]] = {member: [] for member in members}
        for topic in dict.fromkeys(topic for known in self._members.values() for topic in known.topics):
            readers = [member for member in members if topic in self._members[member].topics]
            for number in range(self.broker.partitions):
                assigned[readers[number % len(readers)]].append(TopicPartition(topic, number))
        for member, known in self._members.items():
            known.seen_at = asyncio.get_running_loop().time()
            if known.joining is not None and not known.joining.done():
                known.joining.set_result((self._generation, frozenset(assigned[member])))
            known.joining = None


def _refuse(member: _Member) -> None:
    if member.joining is not None and not member.joining.done():
        member.joining.set_exception(IllegalGenerationError())


class SimulatedMembership:
    """A member of the group."""

    def __init__(self, link: Link, group: Group, topics: Sequence[str]) -> None:
        """Prepare it.

        Args:
            link: The process' link to the broker.
            group: The group.
            topics: The topics that it reads.

        """
        self._link = link
        self._group = group
        self._topics = topics
        self._generation = NO_GENERATION
        self._assigned: frozenset[TopicPartition] = frozenset()
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._beats = asyncio.Event()
        self._sent_at = -1.0
        self._waiter: asyncio.Future[None] | None = None

    async def run(self, listener: AssignmentListener, take: Take) -> None:
        """Be a member until cancelled; partitions are given up at the end."""
        try:
            while True:
                await self._be_member(listener, take)
        finally:
            if self._generation != NO_GENERATION:
                await asyncio.create_task(self._give_up(listener, LAST_DRAIN_SECONDS))
            self._group.leave(self)

    async def _be_member(self, listener: AssignmentListener, take: Take) -> None:
        """Join, and go on until the group rebalances."""
        await self._link.latency()
        joined = await self._group.join(self, self._topics)
        await self._link.latency()
        if joined is None:
            return
        generation, assigned = joined
        self._positions = {each: self._group.offsets.get(each, 0) for each in assigned}
        self._paused = set(assigned)
        self._generation, self._assigned = generation, assigned
        await listener.assigned(assigned)
        fetching = asyncio.create_task(self._fetch(take))
        try:
            lost = await self._beat()
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
        await self._give_up(listener, 0.0 if lost else DRAIN_SECONDS)

    async def _give_up(self, listener: AssignmentListener, drain_seconds: float) -> None:
        """Have the partitions given up while heartbeats go on, as aiokafka does."""
        beating = asyncio.create_task(self._beat(until_lost=True))
        try:
            await listener.revoked(drain_seconds)
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            self._assigned = frozenset()
            self._generation = NO_GENERATION

    async def _beat(self, *, until_lost: bool = False) -> bool:
        """Send heartbeats until the group rebalances; returns whether this is a member no more."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            sent_at = loop.time()
            await self._link.latency()
            rebalancing = self._group.heartbeat(self, self._generation)
            if rebalancing is None:
                return True
            self._sent_at = sent_at
            self._beats.set()
            if rebalancing and not until_lost:
                return False

    async def _fetch(self, take: Take) -> None:
        broker = self._group.broker
        while True:
            found = False
            for source in sorted(self._assigned):
                log = broker.topic(source.topic)[source.partition]
                if source in self._paused:
                    continue
                records = log.since(self._positions[source], broker.random.randint(1, MOST_RECORDS))
                if not records:
                    self._positions[source] = max(self._positions[source], log.end)  # over a gap
                else:
                    found = True
                    position = self._positions[source]
                    await self._link.latency()
                    if source not in self._paused and self._positions[source] == position:
                        self._positions[source] = records[-1].offset + 1
                        take(records)
            if not found:
                await self._wait()

    async def _wait(self) -> None:
        """Wait until there may be something to fetch."""
        self._waiter = asyncio.get_running_loop().create_future()
        for source in sorted(self._assigned - self._paused):
            self._group.broker.topic(source.topic)[source.partition].waiters.append(self._waiter)
        await self._waiter

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

    def settle(self) -> None:
        """Fetches are not long."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""
        self._positions[partition] = offset
        self._look()

    def position(self, partition: TopicPartition) -> int | None:
        """Return the offset of the next record to give."""
        position: int | None = self._positions.get(partition)
        return position

    def end(self, partition: TopicPartition) -> int | None:
        """Return a partition's end offset."""
        log: Partition = self._group.broker.topic(partition.topic)[partition.partition]
        return log.end

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets in the generation of the assignment."""
        generation = self._generation
        await self._link.latency()
        self._group.commit(self, generation, offsets)
        await self._link.latency()

    async def confirm(self) -> None:
        """Wait for a good heartbeat that is sent from now on."""
        since = asyncio.get_running_loop().time()
        while self._sent_at < since:
            self._beats.clear()
            await self._beats.wait()
