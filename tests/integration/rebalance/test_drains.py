"""Rebalances: every event is decided exactly once while workers join and leave, and both drains are needed."""

from typing import Any, Final

import pytest

from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.group import Group
from tests.integration.rebalance.ledger import Ledger, Tally
from tests.integration.rebalance.worker import Plan

SLOW: Final = {"work_seconds": 0.02, "seek_seconds": 1.5}
"""Events queue up for the agent, and an idle fetcher, which sleeps for a second, wakes up during the seek."""
ROUNDS: Final = 3


async def test_every_event_is_decided_once_through_joins_and_leaves(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group()
    first = await group.join()
    async with ledger.feed(per_second=60):
        second = await group.join()
        await group.join()
        await group.leave(first)
        await group.leave(second)
    await ledger.drained()
    assert await ledger.tally() == Tally([], [], [])


async def test_every_event_is_decided_once_when_queues_are_full_and_kafka_is_slow(
    make_group: MakeGroup, ledger: Ledger
) -> None:
    group = make_group(buffered_events=16, **SLOW)
    first = await group.join()
    async with ledger.feed(per_second=30):
        await group.join()
        await group.leave(first)
    await ledger.drained()
    assert await ledger.tally() == Tally([], [], [])


@pytest.mark.parametrize(
    "without",
    [{"drain_on_revocation": False}, {"drain_on_recovery": False, **SLOW}],
    ids=["the first drain", "the second drain"],
)
async def test_events_are_lost_or_doubled_without(
    make_group: MakeGroup, ledger: Ledger, without: dict[str, Any]
) -> None:
    group = make_group(**without)
    for _ in range(ROUNDS):
        await join_and_leave(group, ledger)
        if not (await ledger.tally()).exact:
            return
    pytest.fail(f"every event was decided once, in each of {ROUNDS} rounds")


async def join_and_leave(group: Group, ledger: Ledger) -> None:
    """Let two workers join and leave, then let a worker with both drains finish the rest."""
    first = await group.join()
    async with ledger.feed(per_second=30):
        second = await group.join()
        await group.leave(first)
    await group.leave(second)
    plan, group.plan = group.plan, Plan(group.plan.bootstrap, group.plan.prefix)
    last = await group.join()
    await ledger.drained()
    await group.leave(last)
    group.plan = plan
