"""A lane: one partition of one processor, for one assignment. Its records run side by side, by key in order."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from aiokafka import TopicPartition

from services.common.kafka.membership import SourceRecord
from services.common.streams.key_queues import KeyQueues, Work
from services.common.streams.offsets import OffsetTracker
from services.common.streams.owner import PartitionOwner


class Flow(Protocol):
    """What gives a lane its records, and can hold them back."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""


class Handler(Protocol):
    """Handles the records of a lane."""

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Handle one record; an error ends the lane, and the record is not done."""


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much of a partition may be in progress.

    Attributes:
        at_once: The records that are worked on at the same time.
        distance: From the lowest offset that is not done to the highest taken.
        per_key: The records of one key that wait for each other.

    """

    at_once: int = 64
    distance: int = 256
    per_key: int = 16


class Lane:
    """The records of one partition number, of all topics that a table or a relay reads.

    Attributes:
        sources: The topics' partitions.
        owner: The owner of the table's partition; None for a relay, which has no rows.

    """

    def __init__(
        self,
        sources: Iterable[TopicPartition],
        owner: PartitionOwner | None,
        handler: Handler,
        limits: LaneLimits,
        flow: Flow,
    ) -> None:
        """Prepare it; nothing runs before the first record.

        Args:
            sources: The topics' partitions.
            owner: The owner of the table's partition; None for a relay.
            handler: Handles each record.
            limits: How much may be in progress.
            flow: Gives the records of the sources, and holds them back while too much is in progress.

        """
        self.sources: Final = tuple(sources)
        self.owner: Final = owner
        self._handler = handler
        self._limits = limits
        self._flow = flow
        self._queues = KeyQueues(limits.at_once, self._resume_with_room)
        self._trackers: Mapping[TopicPartition, OffsetTracker] = {each: OffsetTracker() for each in self.sources}
        self._held = False
        self._idle = asyncio.Event()
        self._idle.set()

    def begin(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note where sources begin: everything before is done.

        Args:
            offsets: The offsets of their next records, of those where they are known.

        """
        for source, offset in offsets.items():
            self._trackers[source].begin(offset)

    def take(self, source: TopicPartition, record: SourceRecord) -> None:
        """Enter the next record of a source."""
        tracker = self._trackers[source]
        tracker.take(record.offset)
        self._idle.clear()

        async def work() -> None:
            await self._handler.handle(record, self.owner)
            tracker.finish(record.offset)
            if not self.open:
                self._idle.set()

        key = record.key or b""
        self._queues.put(key, work)
        if not self._held and self._is_full(key):
            self._held = True
            self._flow.pause(self.sources)

    def put(self, key: bytes, work: Work) -> None:
        """Enter work on a key that no record asks for."""
        self._queues.put(key, work)

    @property
    def open(self) -> int:
        """The number of records that are not done."""
        return sum(tracker.open for tracker in self._trackers.values())

    def _is_full(self, key: bytes) -> bool:
        return self._queues.length(key) >= self._limits.per_key or self._distance >= self._limits.distance

    def _resume_with_room(self) -> None:
        """Let records come again once half of what may be in progress is done."""
        has_room = self._queues.longest <= self._limits.per_key // 2 and self._distance <= self._limits.distance // 2
        if self._held and has_room:
            self._held = False
            self._flow.resume(self.sources)

    @property
    def _distance(self) -> int:
        return max(tracker.distance for tracker in self._trackers.values())

    @property
    def committable(self) -> Mapping[TopicPartition, int]:
        """The offsets to commit, by source, where any record was taken."""
        offsets = {source: tracker.committable for source, tracker in self._trackers.items()}
        return {source: offset for source, offset in offsets.items() if offset is not None}

    def lag(self, source: TopicPartition, position: int, end: int) -> int:
        """Return how many records of a source are not done.

        Args:
            source: The topic's partition.
            position: The offset of the next record that it gives.
            end: Its end offset.

        """
        tracker = self._trackers[source]
        first = tracker.committable if tracker.open and tracker.committable is not None else position
        return max(0, end - first)

    async def wait_idle(self) -> None:
        """Wait until all records are done, or the lane is closed."""
        await self._idle.wait()

    async def wait_failure(self) -> None:
        """Wait until the handling of a record fails, and raise its error."""
        await self._queues.wait_failure()

    async def close(self) -> None:
        """Cancel what is in progress. Its records are not done, and come again."""
        if self.owner is not None:
            self.owner.lose()
        await self._queues.close()
        self._idle.set()
