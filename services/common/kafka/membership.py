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
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    IllegalGenerationError,
    InvalidGroupIdError,
    InvalidSessionTimeoutError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from services.common.kafka.connection import KafkaConnection
from services.common.kafka.fetch_max_wait import GROUP_MILLISECONDS, REBALANCE_MILLISECONDS, set_fetch_max_wait
from services.common.kafka.log import LogRecord
from services.common.kafka.silent_brokers import avoid_silent_brokers

log = structlog.get_logger(__name__)
NO_GENERATION: Final = -1
POLL_MILLISECONDS: Final = 1000
BATCH_RECORDS: Final = 64
HEARTBEAT_MILLISECONDS: Final = 500
REBALANCE_SECONDS: Final = 30.0
"""For how long a rebalance waits for members that finish what is in progress."""
COMMIT_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = REBALANCE_SECONDS - 2 * COMMIT_SECONDS - 2.0
"""How long what is in progress may go on when a rebalance takes partitions away: a commit under way, the last one and
two heartbeats have room behind it."""
LAST_DRAIN_SECONDS: Final = 4.0
"""The same at a stop, which has less time."""
MOST_POLL_SECONDS: Final = 60.0
"""A member that takes no records for so long loses its partitions to the others."""
REQUESTS_IN_A_SESSION: Final = 3
"""How many brokers may leave a request without an answer, one after the other, before the session is over."""
LEAST_REQUEST_MILLISECONDS: Final = 1000
PAUSE_SECONDS: Final = 0.5
REFUSALS: Final = (
    InvalidSessionTimeoutError,
    InvalidGroupIdError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)
"""Why Kafka will never have a member with these settings in the group."""
Take = Callable[["Sequence[SourceRecord]"], None]
"""Takes the next records of one partition, in order."""


class SourceRecord(LogRecord, Protocol):
    """A record of a topic that a group reads; aiokafka's records are of this shape."""

    @property
    def topic(self) -> str:
        """The topic's full name."""

    @property
    def partition(self) -> int:
        """The partition."""


class AssignmentListener(Protocol):
    """Learns which partitions this member has."""

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Take partitions, which are paused. All others are gone."""

    async def revoked(self, drain_seconds: float) -> None:
        """Give all partitions up.

        Args:
            drain_seconds: How long what is in progress may go on to its end, to be committed then; 0 if the partitions
                are lost: others may have them already.

        """


class Membership(Protocol):
    """A member of a consumer group."""

    async def run(self, listener: AssignmentListener, take: Take) -> None:
        """Be a member until cancelled; partitions are given up at the end.

        Args:
            listener: Learns of assignments and losses, one after the other.
            take: Takes the next records of one partition, in order.

        Raises:
            KafkaError: If Kafka will never have this member in the group.

        """

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""

    def settle(self) -> None:
        """Fetch with a longer poll from now on: what an assignment paused goes on."""

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""

    def position(self, partition: TopicPartition) -> int | None:
        """Return the offset of the next record to give, control records passed over; None if it is not known yet."""

    def end(self, partition: TopicPartition) -> int | None:
        """Return the end offset of a partition as far as Kafka has reported it; None if it has not."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the next records, in the generation of the assignment.

        Raises:
            KafkaError: If the group does not take them, or not in time.

        """

    async def confirm(self) -> None:
        """Wait until a heartbeat that is sent from now on shows that this is still a member."""


class KafkaMembership(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """A member of one of Kafka's consumer groups.

    Partition p of all topics goes to the same member, since all topics have as many partitions (range assignment).
    """

    def __init__(self, connection: KafkaConnection, group: str, topics: Sequence[str], session_seconds: float) -> None:
        """Prepare it.

        Args:
            connection: How to reach Kafka.
            group: The group's full name.
            topics: The topics' full names.
            session_seconds: After how long without a heartbeat Kafka puts a member out.

        """
        self._connection = connection
        self._group = group
        self._topics = topics
        self._session_seconds = session_seconds
        self._listener: AssignmentListener | None = None
        self._listening = asyncio.Lock()
        self._listener_error: Exception | None = None
        self._generation = NO_GENERATION
        self._heartbeat_sent_at = 0.0
        self._heartbeat = asyncio.Event()
        self._consumer: AIOKafkaConsumer | None = None

    async def run(self, listener: AssignmentListener, take: Take) -> None:
        """Be a member until cancelled; start anew whenever the membership ends with an error."""
        self._listener = listener
        while True:
            try:
                await self._be_member(take)
            except REFUSALS:
                raise
            except KafkaError as error:
                log.warning("not in the consumer group, retrying", group=self._group, error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def _be_member(self, take: Take) -> None:
        session_milliseconds = int(self._session_seconds * 1000)
        consumer = self._connection.consumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            heartbeat_interval_ms=HEARTBEAT_MILLISECONDS,
            session_timeout_ms=session_milliseconds,
            rebalance_timeout_ms=int(REBALANCE_SECONDS * 1000),
            # A broker that stands still must not cost the session. A join that takes longer is asked for again.
            request_timeout_ms=max(session_milliseconds // REQUESTS_IN_A_SESSION, LEAST_REQUEST_MILLISECONDS),
            fetch_max_wait_ms=REBALANCE_MILLISECONDS,
            max_poll_interval_ms=int(MOST_POLL_SECONDS * 1000),
        )
        avoid_silent_brokers(consumer._client)  # noqa: SLF001 - aiokafka has no other way
        try:
            await consumer.start()
            self._consumer = consumer
            self._guard(consumer._coordinator)  # noqa: SLF001 - aiokafka makes it at the start
            consumer.subscribe(self._topics, listener=self)
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=BATCH_RECORDS)
                for records in batches.values():
                    take(records)
                if self._listener_error is not None:
                    raise self._listener_error
        finally:
            # In a task of its own: in one that was cancelled, Python 3.11.2 takes each timeout as a cancellation.
            await asyncio.create_task(self._leave(consumer))

    async def _leave(self, consumer: AIOKafkaConsumer) -> None:
        """Give up what there is, and leave the group."""
        await self._give_up(LAST_DRAIN_SECONDS)
        self._consumer = None
        await consumer.stop()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give all partitions up; aiokafka calls this for lost ones as well."""
        del revoked
        await self._give_up(DRAIN_SECONDS)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Take partitions."""
        async with self._listening:
            if self._consumer is None:  # a stop has come between
                return
            self._generation = self._coordinator.generation
            set_fetch_max_wait(self._consumer, REBALANCE_MILLISECONDS)
            partitions = frozenset(assigned)
            self._consumer.pause(*partitions)
            try:
                await self._require_listener().assigned(partitions)
            except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
                self._listener_error = error

    async def _give_up(self, drain_seconds: float) -> None:
        """Have the listener give up what it has."""
        async with self._listening:
            if self._generation == NO_GENERATION:
                return
            lost = self._coordinator.generation != self._generation
            try:
                await self._require_listener().revoked(0.0 if lost else drain_seconds)
            except Exception as error:  # noqa: BLE001 - aiokafka would log it and go on
                self._listener_error = error
            finally:
                self._generation = NO_GENERATION

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""
        self._require().pause(*self._own(partitions))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""
        self._require().resume(*self._own(partitions))

    def settle(self) -> None:
        """Fetch with a longer poll from now on."""
        set_fetch_max_wait(self._require(), GROUP_MILLISECONDS)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""
        for each in self._own([partition]):
            self._require().seek(each, offset)

    def position(self, partition: TopicPartition) -> int | None:
        """Return the offset of the next record to give; None if it is not known yet."""
        if not self._own([partition]):
            return None
        # aiokafka's own method waits for it.
        state = self._require()._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001
        position: int | None = state.position if state.has_valid_position else None
        return position

    def end(self, partition: TopicPartition) -> int | None:
        """Return the end offset of a partition as far as Kafka has reported it; None if it has not."""
        end: int | None = self._require().highwater(partition) if self._own([partition]) else None
        return end

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the next records, in the generation of the assignment."""
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._require().commit(dict(offsets))
        except TimeoutError as error:
            raise KafkaTimeoutError from error

    async def confirm(self) -> None:
        """Wait until a heartbeat that is sent from now on shows that this is still a member."""
        since = time.monotonic()
        while self._heartbeat_sent_at < since:
            self._heartbeat.clear()
            await self._heartbeat.wait()

    def _guard(self, coordinator: Any) -> None:
        """Commit in the assignment's generation only, and note when a good heartbeat was sent.

        aiokafka commits with whatever generation it has at that moment. After a loss that is -1 without a member id,
        which Kafka takes while the group is empty. And it goes on to retry a commit after the next assignment.
        """
        commit, heartbeat = coordinator._do_commit_offsets, coordinator._do_heartbeat  # noqa: SLF001

        async def commit_in_generation(assignment: Any, offsets: Any) -> None:
            if not assignment.active or coordinator.generation != self._generation:
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

    def _require_listener(self) -> AssignmentListener:
        if self._listener is None:
            raise IllegalGenerationError(self._group)
        return self._listener
