"""Records of writers that had lost a partition undo nothing, and are covered before compaction sees them alone."""

import asyncio
import json

import pytest

from lab.simulation.toy import NumbersRow
from services.common.rows.codec import write_row
from services.common.rows.fence import Stamp
from tests.integration.rebalance.conftest import MakeGroup
from tests.integration.rebalance.ledger import CHANGELOG, NOTHING_WRONG, Ledger
from tests.polling import DEADLINE_SECONDS

KEY, NEIGHBOUR = "key-0", "key-4"
LATE = Stamp(1, "late-and-out-of-group0")
LATE_ROW = write_row(NumbersRow(version=9, numbers=(99,)))


async def last_rows(ledger: Ledger) -> list[list[int] | None]:
    """Return the numbers in the last records of both keys, void or not; None is a tombstone."""
    last = {each.key: each.value for each in await ledger.read(CHANGELOG)}
    values = [last[key.encode()] for key in (KEY, NEIGHBOUR)]
    return [None if value is None else json.loads(value)["numbers"] for value in values]


async def until_covered(ledger: Ledger, rows: list[list[int] | None]) -> None:
    """Wait until the last records are rows that count."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await last_rows(ledger) != rows:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("warm", [True, False], ids=["from its own copy", "from the changelog alone"])
async def test_void_records_undo_nothing_and_the_next_owner_covers_them(
    make_group: MakeGroup, ledger: Ledger, *, warm: bool
) -> None:
    group = make_group()
    worker = await group.join()
    for key in (KEY, KEY, NEIGHBOUR, NEIGHBOUR):
        await ledger.command(key)
    await ledger.drained()
    await group.leave(worker)
    rows = await last_rows(ledger)
    await ledger.append(KEY.encode(), LATE_ROW, [LATE.header()])
    await ledger.append(NEIGHBOUR.encode(), None, [LATE.header()])
    assert await last_rows(ledger) == [[99], None]

    await group.join(worker.plan.directory if warm else None)
    await until_covered(ledger, rows)
    await ledger.command(KEY)
    await ledger.command(NEIGHBOUR)
    await ledger.drained()
    assert await ledger.tally() == NOTHING_WRONG


async def test_void_records_are_covered_while_the_owner_runs(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group()
    await group.join()
    for key in (KEY, NEIGHBOUR):
        await ledger.command(key)
    await ledger.drained()
    rows = await last_rows(ledger)
    await ledger.append(KEY.encode(), LATE_ROW, [LATE.header()])
    await ledger.append(NEIGHBOUR.encode(), None, [LATE.header()])
    await until_covered(ledger, rows)
    assert await ledger.tally() == NOTHING_WRONG


async def test_row_by_hand_does_not_count_and_a_tombstone_by_hand_does(make_group: MakeGroup, ledger: Ledger) -> None:
    group = make_group()
    worker = await group.join()
    for key in (KEY, NEIGHBOUR):
        await ledger.command(key)
    await ledger.drained()
    await group.leave(worker)
    await ledger.append(KEY.encode(), LATE_ROW, [])
    await ledger.append(NEIGHBOUR.encode(), None, [])
    await group.join(worker.plan.directory)
    numbers = [await ledger.command(key) for key in (KEY, NEIGHBOUR)]
    await ledger.drained()
    rows = await ledger.rows()
    assert (rows[KEY], rows[NEIGHBOUR]) == ([0, numbers[0]], [numbers[1]])
