"""Membership of a consumer group: its records, its assignments and losses, and its commits. Interface and Kafka's own.

Nothing else is used of a consumer group, so that a simulated one can take its place.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalGenerationError

from services.common.kafka.fetch_max_wait import GROUP_MILLISECONDS
from services.common.kafka.log import LogRecord

log = structlog.get_logger(__name__)
NO_GENERATION: Final = -1
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 64
HEARTBEAT_MILLISECONDS: Final = 500
REBALANCE_MILLISECONDS: Final = 30_000
"""For how long a rebalance waits for members that finish what is in progress."""
MOST_POLL_MILLISECONDS: Final = 60_000
"""A member that takes no records for so long loses its partitions to the others."""


class SourceRecord(LogRecord, Protocol):
    """A record of a topic that a group reads; aiokafka's records are of this shape."""

    @property
    def topic(self) -> str:
        """The topic's full name."""

    @property
    def partition(self) -> int:
        """The partition."""


class AssignmentListener(Protocol):
    """Is told which partitions this member has."""

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Take partitions; no record of them is given before this returns. All others are gone."""

    async def revoked(self, *, lost: bool) -> None:
        """Give all partitions up. Unless they are lost, what is in progress may be finished and committed first."""


class Membership(Protocol):
    """A member of a consumer group."""

    async def run(self, listener: AssignmentListener, take: Callable[[Sequence[SourceRecord]], None]) -> None:
        """Be a member until cancelled.

        Args:
            listener: Is told of assignments and losses.
            take: Takes the next records of one partition, in order.

        Raises:
            KafkaError: If Kafka will never have this member in the group.

        """

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""

    def end(self, partition: TopicPartition) -> int | None:
        """Return the end offset of a partition as far as Kafka has told; None if it has not."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the next records, in the generation of the assignment.

        Raises:
            KafkaError: If the group does not take them.

        """

    async def confirm(self) -> None:
        """Wait until a heartbeat that is sent from now on shows that this is still a member."""


class KafkaMembership(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """A member of one of Kafka's consumer groups.

    Partition p of all topics goes to the same member, since all topics have as many partitions (range assignment).
    """

    def __init__(self, bootstrap: str, group: str, topics: Sequence[str], session_seconds: float) -> None:
        """Prepare it.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            group: The group's full name.
            topics: The topics' full names.
            session_seconds: After how long without a heartbeat Kafka puts a member out.

        """
        self._bootstrap = bootstrap
        self._group = group
        self._topics = topics
        self._session_seconds = session_seconds
        self._listener: AssignmentListener | None = None
        self._generation = NO_GENERATION
        self._heartbeat_sent_at = 0.0
        self._heartbeat = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, listener: AssignmentListener, take: Callable[[Sequence[SourceRecord]], None]) -> None:
        """Be a member until cancelled."""
        self._listener = listener
        self._consumer = consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
            session_timeout_ms=int(self._session_seconds * 1000),
            rebalance_timeout_ms=REBALANCE_MILLISECONDS,
            fetch_max_wait_ms=GROUP_MILLISECONDS,
            max_poll_interval_ms=MOST_POLL_MILLISECONDS,
        )
        try:
            await consumer.start()
            self._guard(consumer._coordinator)  # noqa: SLF001 - aiokafka makes it at the start
            consumer.subscribe(self._topics, listener=self)
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)
                for records in batches.values():
                    take(records)
        finally:
            if consumer.assignment():
                await listener.revoked(lost=False)
            await consumer.stop()
            self._consumer = None

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give all partitions up; aiokafka calls this for lost ones as well."""
        if self._listener is not None and revoked:
            lost = self._coordinator.generation != self._generation
            await self._listener.revoked(lost=lost)
        self._generation = NO_GENERATION

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take partitions."""
        self._generation = self._coordinator.generation
        if self._listener is not None:
            await self._listener.assigned(frozenset(assigned))

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""
        self._require().pause(*self._own(partitions))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""
        self._require().resume(*self._own(partitions))

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""
        self._require().seek(partition, offset)

    def end(self, partition: TopicPartition) -> int | None:
        """Return the end offset of a partition as far as Kafka has told; None if it has not."""
        end: int | None = self._require().highwater(partition) if self._own([partition]) else None
        return end

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the next records, in the generation of the assignment."""
        await self._require().commit(dict(offsets))

    async def confirm(self) -> None:
        """Wait until a heartbeat that is sent from now on shows that this is still a member."""
        since = time.monotonic()
        while self._heartbeat_sent_at < since:
            self._heartbeat.clear()
            await self._heartbeat.wait()

    def _guard(self, coordinator: Any) -> None:
        """Commit in the assignment's generation only, and note when a good heartbeat was sent.

        aiokafka commits with whatever generation it has at that moment. After a loss that is -1 without a member id,
        which Kafka takes while the group is empty.
        """
        commit, heartbeat = coordinator._do_commit_offsets, coordinator._do_heartbeat  # noqa: SLF001

        async def commit_in_generation(assignment: Any, offsets: Any) -> None:
            if coordinator.generation != self._generation:
                raise IllegalGenerationError(self._group)
            await commit(assignment, offsets)

        async def noted_heartbeat() -> bool:
            sent_at = time.monotonic()
            good: bool = await heartbeat()
            if good:
                self._heartbeat_sent_at = sent_at
                self._heartbeat.set()
            return good

        coordinator._do_commit_offsets, coordinator._do_heartbeat = commit_in_generation, noted_heartbeat  # noqa: SLF001

    @property
    def _coordinator(self) -> Any:
        return self._require()._coordinator  # noqa: SLF001 - it alone knows the generation

    def _own(self, partitions: Iterable[TopicPartition]) -> frozenset[TopicPartition]:
        """Return those of some partitions that are still assigned."""
        assigned: frozenset[TopicPartition] = self._require().assignment()
        return assigned.intersection(partitions)

    def _require(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            raise IllegalGenerationError(self._group)
        return self._consumer
