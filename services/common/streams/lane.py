"""A lane: one partition of one processor, for one assignment. Its records run side by side, by key in order."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition

from services.common.kafka.membership import SourceRecord
from services.common.streams.key_queues import KeyQueues
from services.common.streams.offsets import OffsetTracker
from services.common.streams.owner import PartitionOwner

Handle = Callable[[SourceRecord, PartitionOwner | None], Awaitable[None]]


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
        handle: Handle,
        limits: LaneLimits,
        *,
        pause: Callable[[], None],
        resume: Callable[[], None],
    ) -> None:
        """Prepare it; nothing runs before the first record.

        Args:
            sources: The topics' partitions.
            owner: The owner of the table's partition; None for a relay.
            handle: Handles a record; its errors end the lane.
            limits: How much may be in progress.
            pause: Stops the records of all sources.
            resume: Lets them come again.

        """
        self.sources: Final = tuple(sources)
        self.owner: Final = owner
        self._handle = handle
        self._limits = limits
        self._queues = KeyQueues(limits.at_once)
        self._trackers: Mapping[TopicPartition, OffsetTracker] = {each: OffsetTracker() for each in self.sources}
        self._pause = pause
        self._resume = resume
        self._paused = False
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, source: TopicPartition, record: SourceRecord) -> None:
        """Enter the next record of a source."""
        tracker = self._trackers[source]
        tracker.take(record.offset)
        self._idle.clear()

        async def work() -> None:
            await self._handle(record, self.owner)
            tracker.finish(record.offset)
            if not self.open:
                self._idle.set()
            if self._paused and self._has_room:
                self._paused = False
                self._resume()

        key = record.key or b""
        self._queues.put(key, work)
        if not self._paused and self._is_full(key):
            self._paused = True
            self._pause()

    def put(self, key: bytes, work: Callable[[], Awaitable[None]]) -> None:
        """Enter work on a key that no record asks for."""
        self._queues.put(key, work)

    @property
    def open(self) -> int:
        """The number of records that are not done."""
        return sum(tracker.open for tracker in self._trackers.values())

    def _is_full(self, key: bytes) -> bool:
        return self._queues.length(key) >= self._limits.per_key or self._distance >= self._limits.distance

    @property
    def _has_room(self) -> bool:
        """True once half of what may be in progress is done."""
        return self._queues.longest <= self._limits.per_key // 2 and self._distance <= self._limits.distance // 2

    @property
    def _distance(self) -> int:
        return max(tracker.distance for tracker in self._trackers.values())

    @property
    def committable(self) -> Mapping[TopicPartition, int]:
        """The offsets to commit, by source, where any record was taken."""
        offsets = {source: tracker.committable for source, tracker in self._trackers.items()}
        return {source: offset for source, offset in offsets.items() if offset is not None}

    async def wait_idle(self) -> None:
        """Wait until all records are done."""
        await self._idle.wait()

    async def wait_failure(self) -> None:
        """Wait until the handling of a record fails, and raise its error."""
        await self._queues.wait_failure()

    async def close(self) -> None:
        """Cancel what is in progress. Its records are not done, and come again."""
        if self.owner is not None:
            self.owner.lose()
        await self._queues.close()
