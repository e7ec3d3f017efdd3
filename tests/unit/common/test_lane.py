"""A lane: how much of a partition is in progress, and what of it may be committed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from aiokafka import TopicPartition

from lab.simulation.broker import SimulatedRecord
from services.common.kafka.membership import SourceRecord
from services.common.streams.lane import Lane, LaneLimits
from services.common.streams.owner import PartitionOwner
from tests.virtual import in_virtual_time

FIRST, SECOND = TopicPartition("first", 0), TopicPartition("second", 0)
STUCK_SECONDS = 1000.0


@dataclass
class Flow:
    """Gives a lane the records of a topic while it is not held back.

    Attributes:
        records: What is still to be given.
        holds: 1 while it is held back, else 0.

    """

    records: list[SimulatedRecord] = field(default_factory=list)
    holds: int = 0

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Hold back."""
        assert set(partitions) == {FIRST, SECOND}
        self.holds += 1

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Go on."""
        assert set(partitions) == {FIRST, SECOND}
        self.holds -= 1

    async def give(self, lane: Lane) -> None:
        """Give all records, a few at a time."""
        while self.records:
            if not self.holds:
                lane.take(FIRST, self.records.pop(0))
            await asyncio.sleep(0.5 if self.holds else 0.001)


class Handler:
    """Takes a second over a record, or as long as its key says."""

    def __init__(self, **seconds: float) -> None:
        self._seconds = seconds
        self.running = 0
        self.most = 0
        self.done_at: dict[str, list[float]] = {}

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Handle a record."""
        assert owner is None
        key = (record.key or b"").decode()
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self._seconds.get(key, 1.0))
        if key == "bad":
            raise ValueError(key)
        self.running -= 1
        self.done_at.setdefault(key, []).append(asyncio.get_running_loop().time())


def a_record(offset: int, key: str) -> SimulatedRecord:
    """Return a record."""
    return SimulatedRecord("first", 0, offset, 0, key.encode(), b"")


def a_lane(handler: Handler, limits: LaneLimits | None = None, flow: Flow | None = None) -> Lane:
    """Return a lane without an owner."""
    return Lane((FIRST, SECOND), None, handler, limits or LaneLimits(), flow or Flow())


async def taken(handler: Handler, keys: Sequence[str], limits: LaneLimits, seconds: float = STUCK_SECONDS) -> Flow:
    """Let a lane run with records of some keys for a while; return what gave them."""
    flow = Flow([a_record(offset, key) for offset, key in enumerate(keys)])
    lane = a_lane(handler, limits, flow)
    giving = asyncio.create_task(flow.give(lane))
    await asyncio.sleep(seconds)
    giving.cancel()
    await lane.close()
    return flow


@in_virtual_time
async def test_stuck_key_of_a_thousand_lets_the_others_through_up_to_the_window() -> None:
    handler = Handler(stuck=STUCK_SECONDS * 2)
    flow = await taken(handler, ["stuck", *(f"key {number}" for number in range(999))], LaneLimits())
    assert len(handler.done_at) == LaneLimits().distance - 1
    assert max(time for times in handler.done_at.values() for time in times) < 10
    assert flow.holds == 1


@in_virtual_time
async def test_key_with_a_thousand_records_holds_others_up_for_a_bounded_time() -> None:
    handler = Handler(hot=0.1)
    keys = [f"key {number // 100}" if number % 100 == 0 else "hot" for number in range(1000)]
    flow = await taken(handler, keys, LaneLimits())
    assert flow.holds == 0
    assert len(handler.done_at["hot"]) == 990
    others = sorted(handler.done_at[key][0] for key in set(keys) - {"hot"})
    per_record = [later - earlier for earlier, later in pairwise(others)]
    assert max(per_record) < 100 * 0.1 + LaneLimits().per_key * 0.1 + 1, "as long as the records before it take"


@in_virtual_time
async def test_lane_works_on_a_bounded_number_of_records_at_once() -> None:
    handler = Handler()
    await taken(handler, [f"key {number}" for number in range(100)], LaneLimits(at_once=7))
    assert handler.most == 7
    assert len(handler.done_at) == 100


@in_virtual_time
async def test_lane_holds_back_for_one_key_until_half_of_it_is_done() -> None:
    flow, handler = Flow(), Handler()
    lane = a_lane(handler, LaneLimits(per_key=4), flow)
    for offset in range(4):
        lane.take(FIRST, a_record(offset, "key"))
    assert flow.holds == 1
    await asyncio.sleep(1.5)
    assert flow.holds == 1
    await asyncio.sleep(1)
    assert flow.holds == 0
    await lane.wait_idle()
    assert lane.committable == {FIRST: 4}


@in_virtual_time
async def test_lane_commits_for_each_source_what_is_done() -> None:
    handler = Handler(slow=10)
    lane = a_lane(handler)
    assert lane.committable == {}
    lane.take(FIRST, a_record(5, "slow"))
    lane.take(FIRST, a_record(9, "quick"))
    lane.take(SECOND, a_record(3, "quick"))
    await asyncio.sleep(3)
    assert (lane.committable, lane.open) == ({FIRST: 5, SECOND: 4}, 1)
    await lane.wait_idle()
    assert (lane.committable, lane.open) == ({FIRST: 10, SECOND: 4}, 0)


@in_virtual_time
async def test_lag_is_what_is_open_or_not_yet_given_and_none_behind_markers() -> None:
    lane = a_lane(Handler())
    assert lane.lag(FIRST, position=3, end=8) == 5
    lane.take(FIRST, a_record(5, "key"))
    assert lane.lag(FIRST, position=6, end=8) == 3
    await lane.wait_idle()
    assert lane.lag(FIRST, position=8, end=8) == 0


@in_virtual_time
async def test_lane_that_begins_where_another_one_ended_commits_that() -> None:
    lane = a_lane(Handler())
    lane.begin({FIRST: 7})
    assert lane.committable == {FIRST: 7}


@in_virtual_time
async def test_record_that_fails_is_not_done_and_ends_the_lane() -> None:
    lane = a_lane(Handler())
    lane.take(FIRST, a_record(0, "good"))
    lane.take(FIRST, a_record(1, "bad"))
    with pytest.raises(ValueError, match="bad"):
        await lane.wait_failure()
    await asyncio.sleep(1)
    assert lane.committable == {FIRST: 1}
    await lane.close()


@in_virtual_time
async def test_closed_lane_leaves_its_records_open_and_nobody_waits_for_them() -> None:
    handler = Handler()
    lane = a_lane(handler)
    lane.take(FIRST, a_record(0, "key"))
    await asyncio.sleep(0.5)
    await lane.close()
    await lane.wait_idle()
    assert (lane.committable, handler.done_at) == ({FIRST: 0}, {})
