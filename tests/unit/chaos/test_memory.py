"""A row forgets what it may forget, by age and by number; whatever else it lacks was undone, for a time or for good."""

from datetime import timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from lab.chaos.claims.memory import read_memory
from lab.chaos.evidence import RowVersion, RunRecord
from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import REMEMBERED_EVENTS, REMEMBERED_SECONDS, Decision, Row, decide_once
from services.common.kafka.dead_letters import RecordPosition
from tests.builders import T0, an_event
from tests.messages import a_sign_in

SECOND: Final = timedelta(seconds=1)
# Mostly close to each other, so that rows get full; now and then far apart, or back, as a clock may be wrong.
pauses: Final = st.lists(
    st.one_of(st.integers(-45, 45), st.integers(0, 2 * REMEMBERED_SECONDS)), min_size=2, max_size=2 * REMEMBERED_EVENTS
)


def _events(pauses: list[int]) -> list[Event[Message]]:
    """Return events with these pauses before them, in seconds."""
    times = [T0 + sum(pauses[: number + 1]) * SECOND for number in range(len(pauses))]
    return [an_event(a_sign_in(), at=at, event_id=f"e{number}") for number, at in enumerate(times)]


def _decided(row: Row, event: Event[Message]) -> Row:
    decision: Decision[Row] = decide_once(row, event, lambda _row, _event: Decision(Row()))
    assert decision.row is not None
    return decision.row


def _rows(events: list[Event[Message]]) -> list[Row]:
    """Return the rows of an owner that decides events one after the other."""
    rows = [Row()]
    for event in events:
        rows.append(_decided(rows[-1], event))
    return rows[1:]


def _versions(rows: list[Row | None], *stale: int) -> list[RowVersion]:
    """Return rows as they lie in a changelog, one each second."""
    return [
        RowVersion(
            RunRecord(RecordPosition("rows", 0, number), b"key", b"", {}, T0 + number * SECOND),
            row,
            number not in stale,
        )
        for number, row in enumerate(rows)
    ]


@given(pauses)
def test_rows_of_one_owner_undo_nothing(pauses: list[int]) -> None:
    rows = _rows(_events(pauses))
    memory = read_memory(_versions([each for row in rows for each in (row, row)]))
    assert memory.undone == ()
    assert memory.followed == 2 * len(rows) - 1
    assert memory.applied == {f"e{number}" for number in range(len(rows))}


@given(pauses, st.integers(1, 8), st.integers(0, 1))
def test_a_decision_that_a_newer_owner_repeats_was_undone_for_a_time(
    pauses: list[int], count: int, repeats: int
) -> None:
    """It goes on from an older row, which it may write once more."""
    rows = _rows(_events(pauses))
    first = max(1, len(rows) - count)
    memory = read_memory(_versions([*rows, *rows[first - repeats :]]))
    undone = {number: float(number - first + repeats) for number in range(first + 1 - repeats, len(rows))}
    remembered = {each.event_id for each in rows[-1].processed}
    assert {each.event_id: each.seconds for each in memory.undone} == {
        f"e{number}": seconds for number, seconds in undone.items() if f"e{number}" in remembered
    }
    assert memory.applied == {f"e{number}" for number in range(len(rows))}


@given(pauses, st.integers(1, 8))
def test_a_decision_that_no_newer_owner_repeats_was_undone_for_good(pauses: list[int], count: int) -> None:
    """It decides another event instead."""
    *events, other = _events(pauses)
    rows = _rows(events)
    first = max(0, len(rows) - count)
    before = rows[first - 1] if first else Row()
    memory = read_memory(_versions([*rows, _decided(before, other)]))
    young = {each.id for each in events[first:] if (other.time - each.time).total_seconds() <= REMEMBERED_SECONDS}
    remembered = {each.event_id for each in rows[-1].processed}
    assert {each.event_id: each.seconds for each in memory.undone} == dict.fromkeys(young & remembered)
    assert memory.applied.isdisjoint(young & remembered)


def test_a_stale_row_undoes_nothing_and_applies_nothing() -> None:
    events = _events([0, 1, 2])
    older, newer = _rows(events[:1]), _rows([events[0], events[2]])
    memory = read_memory(_versions([*older, newer[-1], _decided(older[-1], events[1])], 2))
    assert memory.undone == ()
    assert memory.applied == {"e0", "e2"}


def test_a_row_after_a_deleted_one_need_remember_nothing() -> None:
    first, second = _events([0, 1])
    memory = read_memory(_versions([*_rows([first]), None, *_rows([second])]))
    assert (memory.undone, memory.followed) == ((), 0)


def test_a_decision_missing_at_a_deletion_was_undone_for_good() -> None:
    rows = _rows(_events([0, 1]))
    (undone,) = read_memory(_versions([*rows, rows[0], None])).undone
    assert (undone.event_id, undone.seconds) == ("e1", None)
