"""A row forgets what it may forget; whatever else it lacks of the row before it was undone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from lab.chaos.claims.memory import read_memory
from lab.chaos.evidence import RowVersion, RunRecord
from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import REMEMBERED_COMMANDS, Decision, Row, decide_once
from services.common.kafka.dead_letters import RecordPosition
from tests.builders import T0, an_event
from tests.messages import a_sign_in

SECOND: Final = timedelta(seconds=1)
# More than a row remembers; now and then back, as a clock may be wrong.
pauses: Final = st.lists(st.integers(-3, 45), min_size=2, max_size=3 * REMEMBERED_COMMANDS)


def _events(pauses: list[int]) -> list[Event[Message]]:
    """Return events with these pauses before them, in seconds."""
    times = [T0 + sum(pauses[: number + 1]) * SECOND for number in range(len(pauses))]
    return [an_event(a_sign_in(), at=at, event_id=f"e{number}") for number, at in enumerate(times)]


def _decided(row: Row, event: Event[Message]) -> Row:
    decision: Decision[Row] = decide_once(row, event, lambda _row, _event: Decision(Row()))
    assert decision.row is not None
    return decision.row


def _rows(events: list[Event[Message]]) -> list[Row]:
    """Return the rows of an owner that decides events one after the other; an outdated one leads to none."""
    rows = [Row()]
    for event in events:
        if (row := _decided(rows[-1], event)) != rows[-1]:
            rows.append(row)
    return rows[1:]


def _versions(rows: Sequence[Row | None], *void: int) -> list[RowVersion]:
    """Return rows as they lie in a changelog, one each second; which of them are void, by number."""
    records = [
        RunRecord(RecordPosition("rows", 0, number), b"key", b"", {}, T0 + number * SECOND)
        for number in range(len(rows))
    ]
    return [
        RowVersion(record, row, number not in void)
        for number, (record, row) in enumerate(zip(records, rows, strict=True))
    ]


@given(pauses)
def test_what_owners_write_one_after_the_other_undoes_nothing(pauses: list[int]) -> None:
    events = _events(pauses)
    rows = _rows(events)
    memory = read_memory(_versions([each for row in rows for each in (row, row)]))
    assert (memory.undone, memory.followed) == ((), 2 * len(rows) - 1)
    offsets = {event.id: number for number, event in enumerate(events)}
    for number, event in enumerate(events):
        outdated = memory.is_outdated(event.data.topic.name, event.time, number, offsets)
        assert outdated == (event.id not in memory.applied)


@given(pauses, st.integers(1, 8), st.booleans())
def test_a_row_that_follows_an_older_one_undoes_what_was_between(pauses: list[int], count: int, other: bool) -> None:  # noqa: FBT001 - drawn
    """It decides another event, or the next one again."""
    rows = _rows(_events(pauses))
    first = max(1, len(rows) - count)
    next_event = an_event(a_sign_in(), at=T0 + timedelta(days=1), event_id="other")
    row = replace(_decided(rows[first - 1], next_event), version=99) if other else rows[first]
    memory = read_memory(_versions([*rows, row]))
    lost = [each.event_id for each in rows[-1].processed if row.outcome_of(each.event_id) is None]
    for event_id in lost:
        assert f"rows/0/{len(rows)} undid the decision on {event_id}" in memory.undone
    assert bool(memory.undone) == (row not in {rows[-1], _decided(rows[-1], next_event)} and bool(lost))


def test_an_event_that_was_lost_is_not_outdated_though_the_row_has_forgotten_newer_ones_since() -> None:
    lost, *events = _events([1] * 3 * REMEMBERED_COMMANDS)
    memory = read_memory(_versions(_rows(events)))
    offsets = {event.id: number for number, event in enumerate([lost, *events])}
    assert memory.rows[-1] is not None
    assert memory.rows[-1].forgotten[0].at > lost.time
    assert not memory.is_outdated(lost.data.topic.name, lost.time, 0, offsets)


def test_a_void_row_undoes_nothing_and_applies_nothing() -> None:
    events = _events([0, 1, 2])
    older, newer = _rows(events[:1]), _rows([events[0], events[2]])
    memory = read_memory(_versions([*older, newer[-1], _decided(older[-1], events[1])], 2))
    assert memory.undone == ()
    assert memory.applied == {"e0", "e2"}


def test_a_row_after_a_deleted_one_need_remember_nothing() -> None:
    first, second = _events([0, 1])
    memory = read_memory(_versions([*_rows([first]), None, *_rows([second])]))
    assert (memory.undone, memory.followed) == ((), 0)


def test_what_a_row_forgets_it_must_not_undo() -> None:
    rows = _rows(_events([1] * 3 * REMEMBERED_COMMANDS))
    back = replace(rows[-1], version=99, forgotten=rows[-2].forgotten)
    (undone,) = read_memory(_versions([*rows, back])).undone
    assert undone.endswith("undid up to when events of login.commands are forgotten")
