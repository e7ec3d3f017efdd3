"""Rebalances: each command is decided exactly once while workers join and leave."""

from dataclasses import replace

import pytest

from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.ledger import NOTHING_WRONG, Ledger
from tests.polling import eventually


@pytest.mark.parametrize(
    ("plan", "per_second"), [({}, 60), ({"window": 8, "work_seconds": 0.02}, 30)], ids=["usual", "full windows"]
)
async def test_each_command_is_decided_once_through_joins_and_leaves(
    make_group: MakeGroup, ledger: Ledger, plan: dict[str, float], per_second: int
) -> None:
    group = make_group(**plan)
    first = await group.join()
    async with ledger.feed(per_second):
        second = await group.join()
        await group.join()
        await group.leave(first)
        await group.leave(second)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


async def test_join_waits_for_a_member_that_drains_for_longer_than_a_request_may_take(
    make_group: MakeGroup, ledger: Ledger
) -> None:
    group = make_group(work_seconds=8.0)
    await group.join()
    await ledger.command("key-0")
    group.plan = replace(group.plan, work_seconds=0.0)
    await group.join()
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


@pytest.mark.parametrize("old_first", [True, False], ids=["the old one first", "the new one first"])
async def test_release_that_reads_one_topic_more_decides_with_the_one_before_and_then_alone(
    make_group: MakeGroup, ledger: Ledger, *, old_first: bool
) -> None:
    group = make_group(old=old_first)
    first = await group.join()
    group.plan = replace(group.plan, old=not old_first)
    second = await group.join()
    for number in range(6):
        await ledger.command(f"key-{number}")
    old, new = (first, second) if old_first else (second, first)
    await eventually(lambda: "a table's topics are assigned apart" in new.output, "the new one names the topics")
    await group.leave(old)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG
