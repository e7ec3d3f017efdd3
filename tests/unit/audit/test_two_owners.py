"""A newer owner of a key continues from an older row: it may repeat decisions, and must not drop any.

It read the rows before the last ones of the owner before it came. So it does not know these, and has their events
still before it; the older owner's rows may even come after its own.
"""

from dataclasses import replace
from typing import Final

from hypothesis import example, given
from hypothesis import strategies as st

from operations.audit.bound_table import BoundTable
from operations.audit.record_store import StoredRecord
from schemas.codec import Record
from services.common.decisions import Row
from services.common.rows.codec import read_row
from tests.model.memory_kafka import ACCOUNTS, CHANNELS, PHRASES
from tests.unit.audit.history import Story, a_story

MOST_UNDONE: Final = 7
"""Maximum number of dropped rows: even if each is written twice, the audit still has all of them in memory."""
EPOCH: Final = 7
Turn = tuple[bool, bool, bool]
"""How a row is decided again: whether the row before it is written once more, whether yet another owner comes after
that, and whether the older owner's rows come later still.
"""
TABLES: Final = {"accounts": ACCOUNTS, "channels": CHANNELS, "phrases": PHRASES}
tables: Final = st.sampled_from(sorted(TABLES))
turns: Final = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=MOST_UNDONE)


def undo(story: Story, table: BoundTable, turns: list[Turn], *, lost: int = 0) -> list[str]:
    """Let newer owners repeat the last decisions except the `lost` last ones, and return the ids of their events."""
    world, key = story.world, world_key(story, table)
    records = [each for each in world.rows_of(table) if each.key == key.encode()]
    undone = records[1:][-len(turns) :]
    current, epoch = row_of(table, records[-len(undone) - 1]), EPOCH
    for each in undone:
        world.drop(each)
    older = list(undone)
    for number, (record, (again, moved, late)) in enumerate(zip(undone, turns, strict=False)):
        if not late:
            release(story, older)
        if again:
            world.write(table, key, current, epoch)
            current = world.row(table, key)
        epoch += moved
        if number < len(undone) - lost:
            world.write(table, key, replace(row_of(table, record), version=current.version), epoch)
            current = world.row(table, key)
    release(story, older)
    return [row_of(table, each).processed[-1].event_id for each in undone]


def world_key(story: Story, table: BoundTable) -> str:
    """Return the key of a table's first row."""
    return (story.world.rows_of(table)[0].key or b"").decode()


def row_of(table: BoundTable, record: StoredRecord) -> Row:
    """Return the row of a record."""
    assert table.model is not None
    return read_row(table.model, record.value or b"")


def release(story: Story, records: list[StoredRecord]) -> None:
    """Append delayed records."""
    for each in records:
        story.world.keep(Record(each.topic, each.key, each.value, each.headers))
    records.clear()


@given(tables, turns)
@example("accounts", [(True, True, False)])
def test_what_newer_owners_decide_again_is_no_offence(name: str, turns: list[Turn]) -> None:
    story = a_story()
    undo(story, TABLES[name], turns)
    story.sign_in()
    assert story.world.audit().findings == []


@given(tables, turns)
@example("accounts", [(True, True, False)])
def test_what_newer_owners_leave_aside_for_good_is_named(name: str, turns: list[Turn]) -> None:
    story = a_story()
    (_, moved, late), *others = turns
    *_, lost = undo(story, TABLES[name], [(True, moved, late), *others], lost=1)
    assert story.world.finding().why == f"it permanently drops the event {lost}, which another owner decided"


def test_an_owner_that_wakes_when_all_have_forgotten_its_event_is_no_offence() -> None:
    """A newer owner decided it long ago, in a row that has been compacted since."""
    story = a_story()
    undo(story, CHANNELS, [(False, False, True)] * 5)
    rows = story.world.rows_of(CHANNELS)
    newest = max(rows, key=lambda each: row_of(CHANNELS, each).epoch * 100 + row_of(CHANNELS, each).version)
    for each in rows[: rows.index(newest)]:
        story.world.drop(each)
    assert story.world.audit().findings == []
