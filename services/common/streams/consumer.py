"""The stream consumer of an instance: takes partitions, decides their records in lanes, commits what is done."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from services.common.kafka.membership import Membership, SourceRecord
from services.common.kafka.partitions import row_key
from services.common.rows.changelog import Changes
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.streams.lane import Handler, Lane, LaneLimits
from services.common.streams.owner import FencedError, PartitionOwner

log = structlog.get_logger(__name__)
COMMIT_SECONDS: Final = 1.0
COPY_SECONDS: Final = 5.0
"""For how long a copy may be away, to be read anew, before the partitions go to other instances."""


class Processor(Handler, Protocol):
    """Decides or forwards the records of some topics.

    Its `handle` raises `FencedError` if this instance has lost the partition, so that the record is not done, and
    `NotAcknowledgedError` if it is unknown whether Kafka has what was written; then the instance must end.
    """

    @property
    def name(self) -> str:
        """The table's or relay's name."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The full names of the topics that it reads."""

    @property
    def copy(self) -> ChangelogCopy | None:
        """The copy of the table's changelog; None for a relay."""


class StreamConsumer:
    """Runs the lanes of all partitions that the group gives to this instance.

    An instance is in the group while its copies are up to date. So it takes no partition away from another instance
    before it can decide there, and leaves its own to others when its disk takes no more rows.

    Attributes:
        incomplete: The topics of which this instance lacks a partition that it has of other topics of the same table.
        last_takeover_seconds: How long the last rebalance kept this instance from deciding, from the assignment on.

    """

    def __init__(
        self,
        membership: Membership,
        processors: Sequence[Processor],
        limits: LaneLimits,
        new_owner_id: Callable[[], str],
    ) -> None:
        """Prepare it.

        Args:
            membership: The instance's membership of the service's consumer group.
            processors: What decides or forwards the records.
            limits: How much of a partition may be in progress.
            new_owner_id: Returns a new random id: 22 characters of base64url.

        """
        self._membership = membership
        self._processors = processors
        self._new_owner_id = new_owner_id
        self._limits = limits
        self._copies = [processor.copy for processor in processors if processor.copy is not None]
        self._lanes: dict[TopicPartition, Lane] = {}
        self._by_number: dict[tuple[str, int], Lane] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
        self._committing = asyncio.Lock()
        self._committed: dict[TopicPartition, int] = {}
        self._assigned = False
        self._waiting_since = time.monotonic()
        self.last_takeover_seconds = 0.0
        self.incomplete: frozenset[str] = frozenset()
        for processor in processors:
            if processor.copy is not None:
                processor.copy.watch(self._healer(processor.name))

    @property
    def ready(self) -> bool:
        """True once the group has given partitions, or none, and each owner may decide."""
        owners = (lane.owner for lane in self._by_number.values())
        return self._assigned and all(owner is None or owner.began.is_set() for owner in owners)

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return the number of records that are not done, by topic and partition, as far as Kafka has reported it."""
        found: dict[tuple[str, int], int] = {}
        for source, lane in self._lanes.items():
            position, end = self._membership.position(source), self._membership.end(source)
            if position is not None and end is not None:
                found[source.topic, source.partition] = lane.lag(source, position, end)
        return found

    async def run(self) -> None:
        """Decide until cancelled.

        Raises:
            NotAcknowledgedError: If it is unknown whether Kafka has what was written.
            KafkaError: If Kafka will never have this instance in the group.

        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._commit_regularly())
            while True:
                for copy in self._copies:
                    await copy.ready.wait()
                await self._be_member()

    async def _be_member(self) -> None:
        """Be in the group until a copy is away for too long."""
        member = asyncio.create_task(self._membership.run(self, self._take))
        copies = asyncio.create_task(self._wait_copy_away())
        try:
            await asyncio.wait((member, copies), return_when=asyncio.FIRST_COMPLETED)
            if member.done():
                member.result()
            log.warning("leaves the consumer group: a copy of rows is not up to date")
        finally:
            for task in (member, copies):
                task.cancel()
            await asyncio.gather(member, copies, return_exceptions=True)

    async def _wait_copy_away(self) -> None:
        current_at = time.monotonic()
        while time.monotonic() - current_at < COPY_SECONDS:
            await asyncio.sleep(COMMIT_SECONDS)
            if all(copy.ready.is_set() for copy in self._copies):
                current_at = time.monotonic()

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Open a lane for each partition number of each processor; records come once its owner may decide."""
        self._waiting_since = time.monotonic()
        missing: set[str] = set()
        for processor in self._processors:
            for number in sorted({each.partition for each in partitions if each.topic in processor.topics}):
                sources = tuple(TopicPartition(topic, number) for topic in processor.topics)
                absent = {each.topic for each in sources if each not in partitions}
                missing |= absent
                if not absent:
                    self._start(processor, sources)
        self.incomplete = frozenset(missing)
        if missing:
            log.error("a table's topics are assigned apart: do all instances read the same?", topics=sorted(missing))
        self._assigned = True
        if not self._tasks:
            self._membership.settle()

    async def revoked(self, drain_seconds: float) -> None:
        """Finish and commit what is in progress, unless it is lost, and close all lanes."""
        self._membership.pause(self._lanes)
        try:
            if drain_seconds:
                await self._drain(drain_seconds)
                await self._commit()
        finally:
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            async with self._committing:
                self._lanes.clear()
                self._by_number.clear()
                self._committed.clear()
            self._assigned = False

    async def _drain(self, seconds: float) -> None:
        idle = [asyncio.create_task(lane.wait_idle()) for lane in self._by_number.values()]
        if not idle:
            return
        # Not asyncio.timeout: in a task that was cancelled, as at a stop, Python 3.11.2 ends it as a cancellation.
        _, unfinished = await asyncio.wait(idle, timeout=seconds)
        for each in unfinished:
            each.cancel()
        if unfinished:
            log.warning("gives partitions up before their records are done")

    def _start(self, processor: Processor, sources: tuple[TopicPartition, ...]) -> None:
        lane = self._open(processor, sources)
        if self._group is not None:
            self._tasks.append(self._group.create_task(self._keep_lane(processor, lane)))

    def _take(self, records: Sequence[SourceRecord]) -> None:
        source = TopicPartition(records[0].topic, records[0].partition)
        lane = self._lanes[source]
        for record in records:
            try:
                lane.take(source, record)
            except ValueError as error:
                # The topic was created anew, or has lost records. The membership begins again.
                raise OffsetOutOfRangeError(str(error)) from error

    def _open(self, processor: Processor, sources: tuple[TopicPartition, ...]) -> Lane:
        if self.ready:
            self._waiting_since = time.monotonic()
        number, copy = sources[0].partition, processor.copy
        owner = None if copy is None else PartitionOwner(copy, number, self._new_owner_id())
        lane = Lane(sources, owner, processor, self._limits, self._membership)
        self._by_number[processor.name, number] = lane
        return lane

    async def _keep_lane(self, processor: Processor, lane: Lane) -> None:
        """Run a partition's lane, and open it anew whenever another owner has stood there meanwhile."""
        while True:
            try:
                await self._run_lane(lane)
            except FencedError:
                log.warning("does not own a partition, trying again", table=processor.name, partitions=lane.sources)
                self._membership.pause(lane.sources)
                for source, offset in lane.committable.items():
                    self._membership.seek(source, offset)
            finally:
                await lane.close()
            await self._membership.confirm()
            done = lane.committable
            lane = self._open(processor, lane.sources)
            lane.begin(done)

    async def _run_lane(self, lane: Lane) -> None:
        """Begin, and have records come until one of them fails."""
        owner = lane.owner
        if owner is not None:
            await owner.begin()
            for key in owner.keys_to_heal():
                _heal(lane, owner, key)
            await owner.remove_old_marks()
        for source in lane.sources:
            self._lanes[source] = lane
        self._membership.resume(lane.sources)
        if self.ready:
            self.last_takeover_seconds = time.monotonic() - self._waiting_since
            self._membership.settle()
        await lane.wait_failure()

    def _healer(self, name: str) -> Callable[[int, Changes], None]:
        """Return what takes a table's changes, and has rows written again that void records lie on top of."""

        def heal(partition: int, changes: Changes) -> None:
            lane = self._by_number.get((name, partition))
            if lane is not None and lane.owner is not None and lane.owner.began.is_set():
                for key, void in changes.void.items():
                    if void is not None:
                        _heal(lane, lane.owner, key)

        return heal

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
        """Commit what is done; one commit after the other, so that none takes an offset back."""
        async with self._committing:
            offsets = {
                source: offset
                for lane in self._by_number.values()
                for source, offset in lane.committable.items()
                if self._committed.get(source) != offset
            }
            if not offsets:
                return
            try:
                await self._membership.commit(offsets)
            except KafkaError as error:
                log.warning("cannot commit offsets, retrying", error=repr(error))
            else:
                self._committed.update(offsets)


def _heal(lane: Lane, owner: PartitionOwner, key: bytes) -> None:
    lane.put(row_key(key), lambda: owner.heal(key))
