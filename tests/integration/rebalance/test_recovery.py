"""Recovery from the changelog: stale records are ignored, and all newer ones are read."""

from dataclasses import replace

import pytest

from services.common.rows.stamps import TOMBSTONE_HEADER, stamp
from tests.builders import a_stamped_row
from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.ledger import Ledger

KEY, NEIGHBOUR = b"key-0", b"key-4"
"""Two keys of one partition."""


@pytest.mark.parametrize("warm", [True, False], ids=["from its own tables", "from the changelog alone"])
async def test_stale_records_undo_nothing_and_are_covered_again(
    make_group: MakeGroup, ledger: Ledger, *, warm: bool
) -> None:
    group = make_group()
    worker = await group.join()
    expected = {key: [await ledger.event(key), await ledger.event(key)] for key in (KEY, NEIGHBOUR)}
    await ledger.drained()
    await group.leave(worker)
    await ledger.send(ledger.changelog, KEY, a_stamped_row(0, 1, numbers=[99]))
    await ledger.send(ledger.changelog, NEIGHBOUR, None, [(TOMBSTONE_HEADER, b'{"epoch":0,"version":1}')])

    await group.join(worker.plan.directory if warm else None)
    last = {record.key: record.value or b"" for record in await ledger.read(ledger.changelog)}
    assert [stamp(last[key]) for key in expected] == [(1, 2), (1, 2)], "compaction would keep the stale record"
    for key, numbers in expected.items():
        numbers.append(await ledger.event(key))
    await ledger.drained()
    assert await ledger.rows() == expected


async def test_a_record_of_another_writer_is_read_at_the_next_start(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group()
    worker = await group.join()
    await ledger.event(KEY)
    await ledger.drained()
    await ledger.send(ledger.changelog, NEIGHBOUR, a_stamped_row(9, 1, numbers=[99]))
    await ledger.event(KEY)
    await ledger.drained()
    await group.leave(worker)

    await group.join(worker.plan.directory)
    number = await ledger.event(NEIGHBOUR)
    await ledger.drained()
    assert (await ledger.rows())[NEIGHBOUR] == [99, number]


async def test_a_recovery_that_misses_records_starts_again(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group()
    worker = await group.join()
    numbers = [await ledger.event(KEY), await ledger.event(KEY)]
    await ledger.drained()
    await group.leave(worker)

    group.plan = replace(group.plan, dropped_batches=1)
    await group.join()
    numbers.append(await ledger.event(KEY))
    await ledger.drained()
    assert await ledger.rows() == {KEY: numbers}
