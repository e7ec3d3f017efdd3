"""Owners of a key come one after the other: what the former one still writes is void, and no offence."""

from itertools import chain
from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operations.audit.bound_table import BoundTable
from operations.audit.record_store import StoredRecord
from operations.audit.report import Checked
from schemas.base import Message
from schemas.codec import Event, encode
from schemas.contract import Verdict
from schemas.login_messages import EmailDue, FailPassword
from services.common.decisions import Decision, Row, decide_once
from services.common.rows.codec import write_row
from tests.builders import an_event
from tests.model.memory_kafka import ACCOUNTS, CHANNELS, PHRASES
from tests.rows import as_seen
from tests.session_messages import a_reset, an_address
from tests.unit.audit.history import RecordedWorld, Story, a_story, of_type, place_of

TABLES: Final = {"accounts": ACCOUNTS, "channels": CHANNELS, "phrases": PHRASES}
Turn = tuple[str, int, bool]
"""A table that gets another owner, which of its former rows the owner before writes once more (0: a tombstone), and
whether the new owner then writes the key's row again."""
turns: Final = st.lists(st.tuples(st.sampled_from(sorted(TABLES)), st.integers(0, 40), st.booleans()), max_size=5)


@pytest.fixture
def world() -> RecordedWorld:
    """Return a valid history."""
    return a_story().world


def take_turn(world: RecordedWorld, turn: Turn) -> StoredRecord:
    """Let another owner begin, and the former one write on; return the former one's record."""
    name, number, heals = turn
    table = TABLES[name]
    rows = [None, *(each for each in world.rows_of(table) if each.value is not None and b"\0" not in (each.key or b""))]
    row = rows[number % len(rows)]
    key = world.rows_of(table)[0].key if row is None else row.key
    void = world.write(table, key or b"", None if row is None else row.value, world.take_over(table))
    if heals:
        world.write(table, key or b"", row_now(world, table, key or b""))
    return void


def row_now(world: RecordedWorld, table: BoundTable, key: bytes) -> bytes | None:
    """Return the value of a key's row that counts."""
    row: Row | None = world.row(table, key.decode())
    return None if row is None else write_row(row)


@given(turns, turns)
@example([("accounts", 1, True)], [("accounts", 0, False)])
def test_what_a_former_owner_writes_is_no_offence(before: list[Turn], after: list[Turn]) -> None:
    story = Story()
    story.pair()
    for turn in before:
        take_turn(story.world, turn)
    story.sign_in()
    story.sign_in(Verdict.DENY)
    for turn in after:
        take_turn(story.world, turn)
    report = story.world.audit()
    assert (report.findings, report.unchecked) == ([], {})
    assert report.checked[Checked.VOID_ROW] == len([*before, *after])
    heals = [heals for _name, _number, heals in chain(before, after)]
    assert report.checked[Checked.REPEATED_ROW] == heals.count(True)


def decided(world: RecordedWorld, event: Event[Message]) -> Decision[Row]:
    """Decide an event on the account's row; save and publish nothing."""
    return decide_once(world.row(ACCOUNTS, "alex"), event, ACCOUNTS.decide)


def test_an_event_that_only_a_void_row_applied_was_not_decided(world: RecordedWorld) -> None:
    event = an_event(of_type(world, FailPassword).event().data, at=world.now, event_id="lost")
    world.keep(encode(event))
    row = decided(world, event).row
    assert row is not None
    world.write(ACCOUNTS, b"alex", write_row(row), world.take_over(ACCOUNTS))
    assert world.finding().why == "login/accounts neither decided nor dead-lettered it"


def test_a_message_that_only_a_void_row_leads_to_is_named(world: RecordedWorld) -> None:
    world.command(an_address("alex@example.org", world.now))
    world.settle()
    event = an_event(
        as_seen(world.row(ACCOUNTS, "alex"), a_reset(world.now)),
        at=world.now,
        event_id="lost",
    )
    world.keep(encode(event))
    decision = decided(world, event)
    assert decision.row is not None
    world.write(ACCOUNTS, b"alex", write_row(decision.row), world.take_over(ACCOUNTS))
    (notice,) = [each for each in decision.events if isinstance(each, EmailDue)]
    number = decision.events.index(notice)
    world.publish(Event(f"lost.{number}", event.time, "login/accounts", "", notice))
    world.settle()
    place = place_of(of_type(world, EmailDue))
    (why,) = [each.why for each in world.audit().findings if each.place == place]
    assert why == "login/accounts never decided the event in its id"


def test_a_row_that_builds_on_a_void_one_is_named(world: RecordedWorld) -> None:
    first = an_event(of_type(world, FailPassword).event().data, at=world.now, event_id="first")
    second = an_event(first.data, at=world.now, event_id="second")
    for event in (first, second):
        world.keep(encode(event))
    void = decided(world, first).row
    assert void is not None
    world.write(ACCOUNTS, b"alex", write_row(void), world.take_over(ACCOUNTS))
    row = decide_once(void, second, ACCOUNTS.decide).row
    assert row is not None
    named = world.write(ACCOUNTS, b"alex", write_row(row))
    (why,) = [each.why for each in world.audit().findings if each.place == place_of(named)]
    assert why == "it has version 14 and follows version 12, though no row was compacted there"


def test_a_row_that_outlived_compaction_only_as_a_void_one_is_not_checked(world: RecordedWorld) -> None:
    """The rows that counted are gone; a void one counts for want of others, and its owner writes it again."""
    rows = [each for each in world.rows_of(ACCOUNTS) if each.key == b"alex"]
    void = world.write(ACCOUNTS, b"alex", rows[-2].value, world.take_over(ACCOUNTS))
    for row in rows:
        world.drop(row)
    assert world.audit().findings == []
    world.write(ACCOUNTS, b"alex", void.value)
    assert world.audit().findings == []
