"""The stream consumer of an instance: takes partitions, decides their records in lanes, commits what is done."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.common.kafka.membership import Membership, SourceRecord
from services.common.kafka.partitions import row_key
from services.common.rows.changelog import Changes
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.fence import Stamp
from services.common.streams.lane import Lane, LaneLimits
from services.common.streams.owner import FencedError, PartitionOwner

log = structlog.get_logger(__name__)
COMMIT_SECONDS: Final = 1.0
DRAIN_SECONDS: Final = 25.0
"""How long a rebalance waits for what is in progress; after 30 s Kafka gives the partitions to others in any case."""
RETRY_SECONDS: Final = 0.5


class Processor(Protocol):
    """Decides or forwards the records of some topics."""

    @property
    def name(self) -> str:
        """The table's or relay's name."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The full names of the topics that it reads."""

    @property
    def copy(self) -> ChangelogCopy | None:
        """The copy of the table's changelog; None for a relay."""

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Handle one record; a poison message goes to its dead-letter topic.

        Raises:
            FencedError: If this instance has lost the partition; the record is not done.
            NotAcknowledgedError: If it is unknown whether Kafka has what was written; the instance must end.

        """


class StreamConsumer:
    """Runs the lanes of all partitions that the group gives to this instance.

    Attributes:
        incomplete: The topics of which this instance lacks a partition that it has of other topics of the same table.
        last_takeover_seconds: How long the last rebalance kept this instance from deciding, from the assignment on.

    """

    def __init__(
        self, membership: Membership, processors: Sequence[Processor], owner_id: str, limits: LaneLimits
    ) -> None:
        """Prepare it.

        Args:
            membership: The instance's membership of the service's consumer group.
            processors: What decides or forwards the records.
            owner_id: This process's random id.
            limits: How much of a partition may be in progress.

        """
        self._membership = membership
        self._processors = processors
        self._owner_id = owner_id
        self._limits = limits
        self._stamps: dict[tuple[str, int], Stamp] = {}
        self._lanes: dict[TopicPartition, Lane] = {}
        self._by_number: dict[tuple[str, int], Lane] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._group: asyncio.TaskGroup | None = None
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
        """Return the number of records that are not done, by topic and partition, where Kafka has told the end."""
        ends = {source: self._membership.end(source) for source in self._lanes}
        return {
            (source.topic, source.partition): max(0, end - self._lanes[source].committable.get(source, end))
            for source, end in ends.items()
            if end is not None
        }

    async def run(self) -> None:
        """Decide until cancelled.

        Raises:
            NotAcknowledgedError: If it is unknown whether Kafka has what was written.
            KafkaError: If Kafka will never have this instance in the group.

        """
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self._commit_regularly())
            await self._membership.run(self, self._take)

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Open a lane for each partition number of each processor; records come once its owner may decide."""
        assert self._group is not None
        self._membership.pause(partitions)
        missing: set[str] = set()
        for processor in self._processors:
            for number in sorted({each.partition for each in partitions if each.topic in processor.topics}):
                sources = tuple(TopicPartition(topic, number) for topic in processor.topics)
                absent = {each.topic for each in sources if each not in partitions}
                missing |= absent
                if not absent:
                    self._tasks.append(self._group.create_task(self._keep_lane(processor, sources)))
        self.incomplete = frozenset(missing)
        if missing:
            log.error("a table's topics are assigned apart: do all instances read the same?", topics=sorted(missing))
        self._assigned = True
        self._waiting_since = time.monotonic()

    async def revoked(self, *, lost: bool) -> None:
        """Finish and commit what is in progress, unless it is lost, and close all lanes."""
        self._membership.pause(self._lanes)
        if not lost:
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    for lane in self._by_number.values():
                        await lane.wait_idle()
            except TimeoutError:
                log.warning("gives partitions up before their records are done")
            await self._commit()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        self._by_number.clear()
        self._committed.clear()
        self._assigned = False

    def _take(self, records: Sequence[SourceRecord]) -> None:
        source = TopicPartition(records[0].topic, records[0].partition)
        lane = self._lanes[source]
        for record in records:
            lane.take(source, record)

    async def _keep_lane(self, processor: Processor, sources: tuple[TopicPartition, ...]) -> None:
        """Run a partition's lane, and open it anew whenever another owner has stood there meanwhile."""
        place = processor.name, sources[0].partition
        while True:
            lane = self._open(processor, sources)
            self._by_number[place] = lane
            try:
                await self._begin(lane)
                if self.ready:
                    self.last_takeover_seconds = time.monotonic() - self._waiting_since
                for source in sources:
                    self._lanes[source] = lane
                self._membership.resume(sources)
                await lane.wait_failure()
            except FencedError:
                log.warning("another owner stands in a partition", table=processor.name, partition=place[1])
                self._membership.pause(sources)
                for source, offset in lane.committable.items():
                    self._membership.seek(source, offset)
            finally:
                if lane.owner is not None and lane.owner.stamp is not None:
                    self._stamps[place] = lane.owner.stamp
                await lane.close()
            await self._membership.confirm()

    def _open(self, processor: Processor, sources: tuple[TopicPartition, ...]) -> Lane:
        owner = None
        if processor.copy is not None:
            number = sources[0].partition
            stamp = self._stamps.get((processor.name, number))
            owner = PartitionOwner(processor.copy, number, self._owner_id, stamp)
        return Lane(
            sources,
            owner,
            processor.handle,
            self._limits,
            pause=lambda: self._membership.pause(sources),
            resume=lambda: self._membership.resume(sources),
        )

    async def _begin(self, lane: Lane) -> None:
        owner = lane.owner
        while owner is not None:
            try:
                await owner.begin()
            except KafkaError as error:
                log.warning("cannot read a partition to its end, retrying", error=repr(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                for key in owner.keys_to_heal():
                    self._heal(lane, key)
                return

    def _healer(self, name: str) -> Callable[[int, Changes], None]:
        """Return what takes a table's changes, and has rows written again that void records lie on top of."""

        def heal(partition: int, changes: Changes) -> None:
            lane = self._by_number.get((name, partition))
            if lane is not None and lane.owner is not None and lane.owner.began.is_set():
                for key, void in changes.void.items():
                    if void is not None:
                        self._heal(lane, key)

        return heal

    @staticmethod
    def _heal(lane: Lane, key: bytes) -> None:
        owner = lane.owner
        assert owner is not None
        lane.put(row_key(key), lambda: owner.heal(key))

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_SECONDS)
            await self._commit()

    async def _commit(self) -> None:
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
