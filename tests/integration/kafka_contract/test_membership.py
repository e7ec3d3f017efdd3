"""What the stream consumer relies on of a group: the same on the simulated broker and on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.common.kafka.membership import DRAIN_SECONDS, LAST_DRAIN_SECONDS, Membership, SourceRecord
from tests.integration.kafka_contract.backends import PARTITIONS, SESSION_SECONDS, Backend, World
from tests.polling import DEADLINE_SECONDS

FIRST, SECOND = "first", "second"
BOTH = (FIRST, SECOND)
POLL_SECONDS = 0.05
MOMENT = 2.0
"""Time enough for what must not happen to happen."""


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, in real or in virtual time."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not holds():
            await asyncio.sleep(POLL_SECONDS)


@dataclass
class Member:
    """A member of the group, and what it has learnt.

    Attributes:
        membership: Its membership.
        assigned_now: The partitions that it has.
        drains: How long it was given at each loss of its partitions.
        values: The values of the records that it was given, by topic and partition.
        on_revoked: Called while it gives partitions up.
        resumes: Whether it has records come as soon as it has partitions.
        error: Raised instead of taking an assignment, if given.

    """

    membership: Membership
    assigned_now: frozenset[TopicPartition] = frozenset()
    assignments: int = 0
    drains: list[float] = field(default_factory=list)
    values: dict[tuple[str, int], list[bytes | None]] = field(default_factory=dict)
    on_revoked: Callable[[], object] = lambda: None
    resumes: bool = True
    error: Exception | None = None

    async def assigned(self, partitions: frozenset[TopicPartition]) -> None:
        """Take partitions."""
        if self.error is not None:
            raise self.error
        self.assigned_now = partitions
        self.assignments += 1
        if self.resumes:
            self.membership.resume(partitions)
            self.membership.settle()

    async def revoked(self, drain_seconds: float) -> None:
        """Give all partitions up."""
        self.drains.append(drain_seconds)
        waiting = self.on_revoked()
        if isinstance(waiting, asyncio.Future):
            await asyncio.gather(waiting, return_exceptions=True)
        self.assigned_now = frozenset()

    def take(self, records: Sequence[SourceRecord]) -> None:
        """Take records of one partition."""
        place = records[0].topic.rpartition(".")[2], records[0].partition
        assert self.assigned_now, "records before the assignment"
        self.values.setdefault(place, []).extend(each.value for each in records)

    def count(self) -> int:
        """Return how many records it was given."""
        return sum(map(len, self.values.values()))

    async def commit(self, world: World, offsets: Mapping[tuple[str, int], int]) -> None:
        """Commit offsets."""
        await self.membership.commit({world.source(*place): offset for place, offset in offsets.items()})


@asynccontextmanager
async def joined(world: World, topics: Sequence[str] = BOTH, *, resumes: bool = True) -> AsyncIterator[Member]:
    """Run another member; leave the group at the end."""
    member = Member(world.member(topics), resumes=resumes)
    running = asyncio.create_task(member.membership.run(member, member.take))
    try:
        await until(lambda: member.assignments)
        yield member
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_only_member_has_all_partitions_and_their_records_in_order(backend: Backend) -> None:
    async def test(world: World) -> None:
        for number in range(20):
            await world.put(FIRST, number % PARTITIONS, b"%d" % number)
        async with joined(world) as member:
            assert member.assigned_now == {world.source(topic, each) for topic in BOTH for each in range(PARTITIONS)}
            await until(lambda: member.count() == 20)
            assert member.values[FIRST, 1] == [b"%d" % number for number in range(1, 20, PARTITIONS)]
            await world.put(SECOND, 1, b"later")
            await until(lambda: member.values.get((SECOND, 1)) == [b"later"])

    backend.run(BOTH, test)


def test_assigned_partition_gives_no_record_before_it_is_resumed(backend: Backend) -> None:
    async def test(world: World) -> None:
        await world.put(FIRST, 0, b"value")
        async with joined(world, resumes=False) as member:
            await asyncio.sleep(MOMENT)
            assert member.values == {}
            member.membership.resume(member.assigned_now)
            await until(member.count)

    backend.run(BOTH, test)


def test_partition_of_each_topic_goes_to_the_same_of_two_members(backend: Backend) -> None:
    async def test(world: World) -> None:
        async with joined(world) as one, joined(world) as other:
            await until(lambda: one.assignments > 1 and len(one.assigned_now) == len(other.assigned_now) == len(BOTH))
            for member in (one, other):
                assert len({each.partition for each in member.assigned_now}) == 1
            assert one.drains == [DRAIN_SECONDS]

    backend.run(BOTH, test)


def test_member_may_commit_while_it_gives_up_and_the_next_goes_on_there(backend: Backend) -> None:
    async def test(world: World) -> None:
        for number in range(5):
            for partition in range(PARTITIONS):
                await world.put(FIRST, partition, b"%d" % number)
        async with joined(world) as one:
            await until(lambda: one.count() == 5 * PARTITIONS)
            offsets = {(FIRST, each): 3 for each in range(PARTITIONS)}
            one.on_revoked = lambda: asyncio.ensure_future(one.commit(world, offsets))
            async with joined(world) as other:
                await until(lambda: other.count() == 2)
                assert list(other.values.values()) == [[b"3", b"4"]]

    backend.run(BOTH, test)


def test_stop_gives_partitions_up_and_the_others_have_them_before_the_session_ends(backend: Backend) -> None:
    async def test(world: World) -> None:
        async with joined(world) as one:
            async with joined(world) as other:
                await until(lambda: len(other.assigned_now) == len(BOTH))
                await until(lambda: len(one.assigned_now) == len(BOTH))
                before = asyncio.get_running_loop().time()
            assert other.drains[-1] == LAST_DRAIN_SECONDS
            await until(lambda: len(one.assigned_now) == len(BOTH) * PARTITIONS)
            assert asyncio.get_running_loop().time() - before < SESSION_SECONDS

    backend.run(BOTH, test)


def test_paused_partition_gives_nothing_until_it_is_resumed(backend: Backend) -> None:
    async def test(world: World) -> None:
        async with joined(world) as member:
            member.membership.pause([world.source(FIRST, 0)])
            for partition in range(PARTITIONS):
                await world.put(FIRST, partition, b"value")
            await until(member.count)
            await asyncio.sleep(MOMENT)
            assert list(member.values) == [(FIRST, 1)]
            member.membership.resume([world.source(FIRST, 0)])
            await until(lambda: member.values.get((FIRST, 0)) == [b"value"])

    backend.run(BOTH, test)


def test_seek_gives_records_again_also_of_a_paused_partition(backend: Backend) -> None:
    async def test(world: World) -> None:
        for number in range(4):
            await world.put(FIRST, 0, b"%d" % number)
        async with joined(world) as member:
            await until(lambda: member.count() == 4)
            source = world.source(FIRST, 0)
            member.membership.pause([source])
            member.membership.seek(source, 2)
            await asyncio.sleep(MOMENT)
            assert member.count() == 4
            member.membership.resume([source])
            await until(lambda: member.values[FIRST, 0][4:] == [b"2", b"3"])

    backend.run(BOTH, test)


def test_position_passes_over_markers_up_to_the_end(backend: Backend) -> None:
    async def test(world: World) -> None:
        await world.mark(FIRST, 0)
        async with joined(world) as member:
            source = world.source(FIRST, 0)
            await until(lambda: member.count() == 1)
            await until(lambda: member.membership.position(source) == member.membership.end(source) == 2)

    backend.run(BOTH, test)


def test_member_that_was_put_out_loses_all_and_commits_nothing_until_it_has_joined_again(backend: Backend) -> None:
    async def test(world: World) -> None:
        await world.put(FIRST, 0, b"value")
        async with joined(world) as member:
            await until(member.count)
            refused: list[BaseException | None] = []

            def commit() -> asyncio.Future[None]:
                committing = asyncio.ensure_future(member.commit(world, {(FIRST, 0): 1}))
                committing.add_done_callback(lambda done: refused.append(done.exception()))
                return committing

            member.on_revoked = commit
            await world.put_out(member.membership)
            await until(lambda: member.assignments > 1)
            assert member.drains == [0.0]
            assert [isinstance(each, KafkaError) for each in refused] == [True]
            await until(lambda: member.values[FIRST, 0] == [b"value"] * 2)
            await member.commit(world, {(FIRST, 0): 1})

    backend.run(BOTH, test)


def test_heartbeat_confirms_a_member_and_no_one_that_was_put_out(backend: Backend) -> None:
    async def test(world: World) -> None:
        async with joined(world) as member:
            await asyncio.wait_for(member.membership.confirm(), SESSION_SECONDS)
            gone = asyncio.Event()
            member.on_revoked = lambda: asyncio.ensure_future(gone.wait())
            await world.put_out(member.membership)
            await until(lambda: member.drains)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(member.membership.confirm(), MOMENT)
            gone.set()
            await until(lambda: member.assignments > 1)
            await asyncio.wait_for(member.membership.confirm(), SESSION_SECONDS)

    backend.run(BOTH, test)


def test_deleted_group_begins_again_with_all_records(backend: Backend) -> None:
    async def test(world: World) -> None:
        await world.put(FIRST, 0, b"value")
        async with joined(world) as member:
            await until(member.count)
            await member.commit(world, {(FIRST, 0): 1})
        async with joined(world) as member:
            await asyncio.sleep(MOMENT)
            assert member.count() == 0
        await world.delete_group()
        async with joined(world) as member:
            await until(lambda: member.values == {(FIRST, 0): [b"value"]})

    backend.run(BOTH, test)


def test_members_that_read_different_topics_have_partitions_of_their_own_topics(backend: Backend) -> None:
    async def test(world: World) -> None:
        async with joined(world, [FIRST]) as old, joined(world) as new:
            await until(lambda: old.assignments > 1 and len(old.assigned_now) == 1)
            assert {each for each in new.assigned_now if each.topic == world.source(SECOND, 0).topic} == {
                world.source(SECOND, each) for each in range(PARTITIONS)
            }
            assert not old.assigned_now & new.assigned_now

    backend.run(BOTH, test)


def test_error_of_the_listener_ends_the_membership(backend: Backend) -> None:
    async def test(world: World) -> None:
        member = Member(world.member(BOTH), error=ValueError("as planned"))
        with pytest.raises(ValueError, match="as planned"):
            await asyncio.wait_for(member.membership.run(member, member.take), DEADLINE_SECONDS)

    backend.run(BOTH, test)
