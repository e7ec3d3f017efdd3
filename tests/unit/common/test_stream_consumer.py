"""The stream consumer: lanes open and close with assignments, and what is done is committed, never more."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import InvalidSessionTimeoutError, KafkaTimeoutError

from lab.simulation.broker import HELD_SECONDS, SimulatedRecord
from services.common.kafka.membership import DRAIN_SECONDS, LAST_DRAIN_SECONDS, AssignmentListener, SourceRecord, Take
from services.common.kafka.publisher import NotAcknowledgedError
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.fence import Stamp
from services.common.streams.consumer import COPY_SECONDS, StreamConsumer
from services.common.streams.lane import LaneLimits
from services.common.streams.owner import FencedError, PartitionOwner
from tests.unit.common.owners import Changelog, Instance
from tests.virtual import in_virtual_time

FIRST, SECOND = TopicPartition("first", 0), TopicPartition("second", 0)
BOTH = frozenset({FIRST, SECOND})
MOMENT = 3.0
"""Time enough for what nothing holds up, a regular commit included."""


@dataclass
class ScriptedMembership:
    """A membership whose assignments and records a test gives.

    Attributes:
        committed: All commits, in order.
        refuses: Raised by each commit, if given.
        confirmed: Set while heartbeats are good.
        runs: True while the instance is a member.

    """

    committed: list[Mapping[TopicPartition, int]] = field(default_factory=list)
    refuses: Exception | None = None
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)
    paused: set[TopicPartition] = field(default_factory=set)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    runs: bool = False
    settled: bool = False

    async def run(self, listener: AssignmentListener, take: Take) -> None:
        """Be a member until cancelled."""
        self._listener, self._take, self.runs = listener, take, True
        self.ended = asyncio.get_running_loop().create_future()
        try:
            await self.ended
        finally:
            await listener.revoked(LAST_DRAIN_SECONDS)
            self.runs = False

    async def assign(self, partitions: Iterable[TopicPartition] = BOTH) -> None:
        """Give partitions."""
        self.paused, self.settled = set(partitions), False
        await self._listener.assigned(frozenset(partitions))
        await asyncio.sleep(MOMENT)

    async def revoke(self, drain_seconds: float = DRAIN_SECONDS) -> None:
        """Take all partitions."""
        await self._listener.revoked(drain_seconds)

    def give(self, source: TopicPartition, offset: int, key: str) -> None:
        """Give a record."""
        assert source not in self.paused
        self.positions[source] = offset + 1
        self._take([SimulatedRecord(source.topic, source.partition, offset, 0, key.encode(), b"")])

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Give no records of partitions until they are resumed."""
        self.paused.update(partitions)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Give records of partitions again."""
        self.paused.difference_update(partitions)

    def settle(self) -> None:
        """Note that all goes on."""
        self.settled = True

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Go on with a partition at an offset."""
        self.positions[partition] = offset

    def position(self, partition: TopicPartition) -> int | None:
        """Return the offset of the next record to give."""
        return self.positions.get(partition)

    def end(self, partition: TopicPartition) -> int | None:
        """Return the end of each partition."""
        del partition
        return 10

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note a commit, some time later."""
        await asyncio.sleep(0.5)
        if self.refuses is not None:
            raise self.refuses
        self.committed.append(offsets)

    async def confirm(self) -> None:
        """Wait until heartbeats are good."""
        await self.confirmed.wait()


@dataclass
class Table:
    """A processor that saves a row for each record, after the seconds that the record's key says.

    Attributes:
        copy: The copy of its changelog.
        handled: The offsets that it has handled.
        fails: Raised for each record of a key.

    """

    copy: ChangelogCopy | None
    handled: list[tuple[str, int]] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    name: str = "table"
    topics: tuple[str, ...] = ("first", "second")

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Handle a record."""
        key = (record.key or b"").decode()
        await asyncio.sleep(float(key) if key.replace(".", "").isdigit() else 0)
        if key in self.fails:
            raise self.fails[key]
        if owner is not None:
            await owner.save(record.key or b"", b"%d" % record.offset)
        self.handled.append((record.topic, record.offset))


@dataclass
class Running:
    """A consumer that runs, and what is around it."""

    stream: StreamConsumer
    membership: ScriptedMembership
    table: Table
    changelog: Changelog
    instance: Instance
    task: asyncio.Task[None]

    @property
    def terms(self) -> int:
        """How many marks it has written."""
        return len(self.changelog.marks)

    def state(self) -> tuple[str, int]:
        """Return whether it decides, and how many marks it has written."""
        stream, membership = self.stream, self.membership
        if stream.ready and not membership.paused and membership.settled:
            return "decides", self.terms
        assert membership.paused == BOTH
        assert not stream.ready
        return "waits", self.terms


@asynccontextmanager
async def running(*, assigned: Iterable[TopicPartition] | None = BOTH) -> AsyncIterator[Running]:
    """Run a consumer of one table, by default with all partitions."""
    changelog, ids = Changelog(), iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    async with changelog.instance() as instance:
        membership, table = ScriptedMembership(), Table(instance.copy)
        membership.confirmed.set()
        stream = StreamConsumer(membership, [table], LaneLimits(), lambda: next(ids) * 22)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(MOMENT)
        if assigned is not None:
            await membership.assign(assigned)
        try:
            yield Running(stream, membership, table, changelog, instance, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@in_virtual_time
async def test_records_come_once_the_owner_may_decide() -> None:
    async with running(assigned=None) as it:
        it.instance.link.holds_next = True  # the mark
        assigning = asyncio.ensure_future(it.membership.assign())
        await asyncio.sleep(0.1)
        assert it.state() == ("waits", 0)
        await assigning
        await asyncio.sleep(HELD_SECONDS)
        assert it.state() == ("decides", 1)
        assert it.stream.last_takeover_seconds > 0


@in_virtual_time
async def test_member_without_partitions_is_ready() -> None:
    async with running(assigned=[]) as it:
        assert it.stream.ready
        assert it.membership.settled


@in_virtual_time
async def test_what_is_done_is_committed_once_and_up_to_what_is_open() -> None:
    async with running() as it:
        it.membership.give(FIRST, 4, "quick")
        it.membership.give(FIRST, 5, "20")
        it.membership.give(SECOND, 7, "quick")
        await asyncio.sleep(10)
        assert it.membership.committed == [{FIRST: 5, SECOND: 8}]
        assert it.stream.lag() == {("first", 0): 5, ("second", 0): 2}
        await asyncio.sleep(20)
        assert it.membership.committed[1:] == [{FIRST: 6}]


@in_virtual_time
async def test_commit_that_the_group_does_not_take_comes_again() -> None:
    async with running() as it:
        it.membership.refuses = KafkaTimeoutError()
        it.membership.give(FIRST, 4, "quick")
        await asyncio.sleep(MOMENT)
        it.membership.refuses = None
        await asyncio.sleep(MOMENT)
        assert it.membership.committed == [{FIRST: 5}]


@in_virtual_time
async def test_rebalance_waits_for_what_is_in_progress_and_commits_it() -> None:
    async with running() as it:
        it.membership.give(FIRST, 4, "10")
        await it.membership.revoke()
        assert it.table.handled == [("first", 4)]
        assert it.membership.committed[-1] == {FIRST: 5}
        assert it.state() == ("waits", 1)
        await it.membership.assign()
        assert it.state() == ("decides", 2), "each assignment begins with a mark"


@in_virtual_time
async def test_rebalance_ends_though_a_record_hangs_and_its_lane_does_nothing_more() -> None:
    async with running() as it:
        it.membership.give(FIRST, 3, "quick")
        it.membership.give(FIRST, 4, "100")
        before = asyncio.get_running_loop().time()
        await it.membership.revoke()
        assert asyncio.get_running_loop().time() - before == pytest.approx(DRAIN_SECONDS, abs=1)
        assert it.membership.committed == [{FIRST: 4}]
        await it.membership.assign()
        await asyncio.sleep(200)
        assert it.table.handled == [("first", 3)]
        assert it.state() == ("decides", 2)


@in_virtual_time
async def test_lost_partitions_are_given_up_at_once_and_nothing_is_committed() -> None:
    async with running() as it:
        it.membership.refuses = KafkaTimeoutError()
        it.membership.give(FIRST, 4, "quick")
        it.membership.give(FIRST, 5, "5")
        await asyncio.sleep(MOMENT)
        it.membership.refuses = None
        before = asyncio.get_running_loop().time()
        await it.membership.revoke(0.0)
        assert asyncio.get_running_loop().time() - before < 1
        await asyncio.sleep(20)
        assert (it.table.handled, it.membership.committed) == ([("first", 4)], [])


@in_virtual_time
async def test_partitions_with_nothing_in_progress_are_given_up_at_once() -> None:
    async with running() as it:
        before = asyncio.get_running_loop().time()
        await it.membership.revoke()
        assert asyncio.get_running_loop().time() - before < 1


@in_virtual_time
async def test_owner_that_another_one_replaced_begins_again_after_a_heartbeat_where_it_stopped() -> None:
    async with running() as it:
        it.membership.confirmed.clear()
        it.membership.give(FIRST, 4, "quick")
        it.membership.give(SECOND, 7, "8")
        await asyncio.sleep(MOMENT)
        it.changelog.take_over(Stamp(9, "Z" * 22))
        await asyncio.sleep(10)
        assert it.state() == ("waits", 2)
        assert it.membership.positions == {FIRST: 5, SECOND: 7}
        it.membership.confirmed.set()
        await asyncio.sleep(MOMENT)
        assert it.state() == ("decides", 3)
        it.membership.give(SECOND, 7, "quick")
        await asyncio.sleep(MOMENT)
        assert it.membership.committed[-1] == {SECOND: 8}


@in_virtual_time
async def test_what_a_replaced_owner_had_done_is_committed_by_the_next() -> None:
    async with running() as it:
        it.membership.refuses = KafkaTimeoutError()
        it.membership.give(FIRST, 4, "quick")
        await asyncio.sleep(MOMENT)
        it.table.fails["bad"] = FencedError()
        it.membership.give(SECOND, 0, "bad")
        await asyncio.sleep(MOMENT)
        it.membership.refuses = None
        await asyncio.sleep(MOMENT)
        assert it.membership.committed == [{FIRST: 5, SECOND: 0}]


@in_virtual_time
async def test_partition_of_only_some_topics_of_a_table_has_no_owner() -> None:
    async with running(assigned=[FIRST]) as it:
        assert it.stream.incomplete == {"second"}
        assert (it.terms, it.membership.paused) == (0, {FIRST})
        await it.membership.revoke()
        await it.membership.assign()
        assert it.state() == ("decides", 1)
        assert not it.stream.incomplete


@in_virtual_time
async def test_void_record_is_covered_while_the_owner_stands_and_when_it_begins() -> None:
    async with running() as it:
        it.changelog.write(b"key", b"late", Stamp(1, "Z" * 22))
        await asyncio.sleep(MOMENT)
        assert it.changelog.rows == [(b"key", b"late"), (b"key", None)]
        await it.membership.revoke()
        it.changelog.write(b"key", b"late", Stamp(1, "Z" * 22))
        await asyncio.sleep(MOMENT)
        assert len(it.changelog.rows) == 3
        await it.membership.assign()
        assert it.changelog.rows[3:] == [(b"key", None)]


@in_virtual_time
async def test_instance_whose_row_is_not_acknowledged_ends_and_does_not_wait_for_the_rest() -> None:
    async with running() as it:
        it.membership.give(FIRST, 3, "quick")
        it.membership.give(FIRST, 4, "100")
        it.table.fails["bad"] = NotAcknowledgedError()
        await asyncio.sleep(1)
        before = asyncio.get_running_loop().time()
        it.membership.give(FIRST, 5, "bad")
        with pytest.raises(ExceptionGroup) as raised:
            await it.task
        assert raised.group_contains(NotAcknowledgedError)
        assert asyncio.get_running_loop().time() - before < LAST_DRAIN_SECONDS
        assert (it.membership.runs, it.table.handled) == (False, [("first", 3)])


@in_virtual_time
async def test_stop_finishes_and_commits_what_is_in_progress() -> None:
    async with running() as it:
        it.membership.give(FIRST, 4, "2")
        await asyncio.sleep(0.5)
        it.task.cancel()
        await asyncio.gather(it.task, return_exceptions=True)
        assert (it.table.handled, it.membership.committed[-1]) == ([("first", 4)], {FIRST: 5})


@in_virtual_time
async def test_instance_is_in_the_group_while_its_copies_are_up_to_date() -> None:
    async with running(assigned=None) as it:
        ready = it.instance.copy.ready
        ready.clear()
        await asyncio.sleep(COPY_SECONDS - 2)
        ready.set()
        await asyncio.sleep(COPY_SECONDS)
        runs = [it.membership.runs]
        ready.clear()
        await asyncio.sleep(COPY_SECONDS + MOMENT)
        runs.append(it.membership.runs)
        ready.set()
        await asyncio.sleep(MOMENT)
        assert [*runs, it.membership.runs] == [True, False, True]


@in_virtual_time
async def test_instance_that_the_group_refuses_ends() -> None:
    async with running() as it:
        it.membership.ended.set_exception(InvalidSessionTimeoutError())
        with pytest.raises(ExceptionGroup) as raised:
            await it.task
        assert raised.group_contains(InvalidSessionTimeoutError)
