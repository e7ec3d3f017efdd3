"""Workers that are killed, paused for too long, or stopped lose nothing."""

import signal
from dataclasses import replace

from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.ledger import Ledger, Tally

SESSION_SECONDS = 2.0
KEY = b"key-0"


async def test_a_killed_worker_loses_nothing_and_nothing_is_decided_twice(
    make_group: MakeGroup, ledger: Ledger
) -> None:
    group = make_group(remembers=True, session_seconds=SESSION_SECONDS)
    victim = await group.join()
    async with ledger.feed(per_second=80):
        await group.join()
        await group.kill(victim)
        await group.join(tables=victim.plan.directory)
    await ledger.drained()
    assert await ledger.tally() == Tally([], [], [])


async def test_a_worker_that_wakes_after_its_session_undoes_nothing(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(remembers=True, session_seconds=SESSION_SECONDS)
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
    tally = await ledger.tally()
    assert (tally.lost, tally.doubled) == ([], [])


async def test_a_crash_ends_the_process_with_an_error_and_loses_nothing(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(remembers=True, crashes_at=1)
    worker = await group.join()
    numbers = [await ledger.event(KEY) for _ in range(3)]
    await group.crashed(worker)
    group.plan = replace(group.plan, crashes_at=None)
    await group.join()
    await ledger.drained()
    assert (await ledger.rows())[KEY] == numbers


async def test_a_stop_finishes_the_event_in_progress_and_leaves_the_rest(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group(work_seconds=0.5)
    worker = await group.join()
    numbers = [await ledger.event(KEY) for _ in range(4)]
    await ledger.decided(KEY)
    await group.leave(worker)
    done = (await ledger.rows())[KEY]
    assert 0 < len(done) < len(numbers)
    await group.join()
    await ledger.drained()
    assert (await ledger.rows())[KEY] == numbers
