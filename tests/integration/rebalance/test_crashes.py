"""Workers that are killed, paused for too long, or stopped lose nothing, and nothing is decided twice."""

import signal
from dataclasses import replace

from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.ledger import NOTHING_WRONG, Ledger

SESSION_SECONDS = 2.0
KEY = "key-0"


async def test_killed_worker_loses_nothing_and_nothing_is_decided_twice(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(session_seconds=SESSION_SECONDS)
    victim = await group.join()
    async with ledger.feed(per_second=80):
        await group.join()
        await group.kill(victim)
        await group.join(copy=victim.plan.directory)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


async def test_worker_that_wakes_after_its_session_undoes_nothing_and_publishes_nothing_untrue(
    make_group: MakeGroup, ledger: Ledger
) -> None:
    group = make_group(session_seconds=SESSION_SECONDS)
    sleeper = await group.join()
    async with ledger.feed(per_second=80):
        await group.join()
        before = group.generation
        sleeper.send(signal.SIGSTOP)
        await group.settle(before, among=1)
        before = group.generation
        sleeper.send(signal.SIGCONT)
        await group.settle(before)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


async def test_error_ends_the_process_and_loses_nothing(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(crashes_at=1)
    worker = await group.join()
    numbers = [await ledger.command(KEY) for _ in range(3)]
    await group.crashed(worker)
    group.plan = replace(group.plan, crashes_at=None)
    await group.join()
    await ledger.drained()
    assert sorted((await ledger.rows())[KEY]) == numbers
    assert await ledger.tally() == NOTHING_WRONG


async def test_stop_finishes_the_event_in_progress_and_leaves_the_rest(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(work_seconds=1.5)
    worker = await group.join()
    numbers = [await ledger.command(KEY) for _ in range(6)]
    await ledger.decided(KEY)
    await group.leave(worker)
    done = (await ledger.rows())[KEY]
    assert 0 < len(done) < len(numbers)
    group.plan = replace(group.plan, work_seconds=0.0)
    await group.join()
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


async def test_group_that_was_deleted_and_reads_all_again_decides_on_and_nothing_twice(
    make_group: MakeGroup, ledger: Ledger
) -> None:
    """Its generations begin at 1 again, and its offsets at the beginning."""
    group = make_group()
    worker = await group.join()
    for _ in range(5):
        await ledger.command(KEY)
    await ledger.drained()
    await group.leave(worker)
    await ledger.delete_group()
    await group.join(copy=worker.plan.directory)
    await ledger.command(KEY)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG
