"""Idempotency: a redelivered event changes nothing as long as its row remembers it, and that memory is bounded."""

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import PairingFailed, PairingFailure
from services.common.decisions import OK, OUTDATED, REMEMBERED_COMMANDS, REMEMBERED_EVENTS, Decision, Row, decide_once
from services.common.rows.codec import read_row, write_row
from tests.builders import after, an_event
from tests.events import a_challenge, a_response
from tests.messages import a_cancel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counter(Row):
    """A row that counts its events."""

    count: int = 0


FAILED = PairingFailed(pairing_id="pairing-1", account_id="alex", reason=PairingFailure.DECLINED)


def _count(row: _Counter | None, _event: Event[Message]) -> Decision[_Counter]:
    counted = row or _Counter()
    return Decision(replace(counted, count=counted.count + 1), (FAILED,), "counted")


def _renew(_row: _Counter | None, _event: Event[Message]) -> Decision[_Counter]:
    return Decision(_Counter())


def _delete(_row: _Counter | None, _event: Event[Message]) -> Decision[_Counter]:
    return Decision(None, (FAILED,), "deleted")


def _events(count: int, seconds: float = 1) -> list[Event[Message]]:
    return [an_event(FAILED, at=after(number * seconds)) for number in range(count)]


def _row_after(events: list[Event[Message]], row: _Counter | None = None) -> _Counter:
    for event in events:
        row = decide_once(row, event, _count).row
    assert row is not None
    return row


def test_an_event_is_remembered_with_its_outcome_and_what_it_led_to() -> None:
    (event,) = _events(1)
    row = _row_after([event])
    assert row.outcome_of(event.id) == "counted"
    assert row.outcome_of("another") is None
    assert [each.message() for each in row.last_outputs[0].outputs] == [FAILED]
    assert row.processed[0].at == event.time


def test_a_repeated_event_is_marked_as_such() -> None:
    (event,) = _events(1)
    first = decide_once(None, event, _count)
    again = decide_once(first.row, event, _count)
    assert (first.repeated, again.repeated) == (False, True)


def test_a_repeat_of_the_last_event_publishes_what_a_crash_may_have_lost() -> None:
    events = _events(3)
    row = _row_after(events)
    assert decide_once(row, events[-1], _count) == Decision(row, (FAILED,), "counted")


def test_a_repeat_of_the_last_event_of_a_topic_does_so_even_if_another_topic_went_on_first() -> None:
    events = [an_event(FAILED), an_event(a_cancel()), an_event(a_response(a_challenge()))]
    row = _row_after(events)
    for event in events:
        assert decide_once(row, event, _count) == Decision(row, (FAILED,), "counted")


def test_a_repeat_of_an_older_event_changes_nothing_and_publishes_nothing() -> None:
    events = _events(3)
    row = _row_after(events)
    for event in events[:-1]:
        assert decide_once(row, event, _count) == Decision(row, (), "counted")


def test_an_event_that_led_to_nothing_ends_what_the_one_before_it_led_to() -> None:
    first, second = _events(2)
    row = decide_once(_row_after([first]), second, _renew).row
    assert row is not None
    assert row.last_outputs == ()
    assert decide_once(row, first, _count).events == ()


def test_what_an_event_led_to_is_kept_until_its_topic_goes_on() -> None:
    # A backlog: the other topic's events are of another time.
    others = [an_event(a_cancel(), at=after(3600 + number)) for number in range(2 * REMEMBERED_COMMANDS)]
    event = an_event(FAILED)
    row = _row_after([event, *others])
    assert decide_once(row, event, _count) == Decision(row, (FAILED,), "counted")


def test_a_repeated_event_leads_to_the_same_even_after_the_row_was_stored() -> None:
    events = _events(2)
    stored = read_row(_Counter, write_row(_row_after(events)).decode())
    assert decide_once(stored, events[-1], _count) == Decision(stored, (FAILED,), "counted")


def test_the_newest_events_of_a_topic_are_remembered_and_no_more_than_a_few() -> None:
    events, command = _events(REMEMBERED_EVENTS + 1), an_event(a_cancel())
    row = _row_after([command, *events])
    assert [each.event_id for each in row.processed] == [event.id for event in (command, *events[1:])]


def test_what_was_forgotten_is_not_decided_again() -> None:
    events = _events(2 * REMEMBERED_EVENTS + 1)
    row = _row_after(events)
    for event in events[:-REMEMBERED_EVENTS]:
        again = decide_once(row, event, _count)
        assert again == Decision(row, (), OUTDATED)
        assert again.repeated


def test_an_event_that_is_not_newer_than_a_forgotten_one_is_outdated() -> None:
    late, *events = _events(REMEMBERED_EVENTS + 2)
    row = _row_after(events)
    assert decide_once(row, late, _count) == Decision(row, (), OUTDATED)
    assert decide_once(row, an_event(FAILED, at=events[0].time), _count).outcome == OUTDATED
    between = an_event(FAILED, at=events[0].time + timedelta(milliseconds=1))
    assert decide_once(row, between, _count).outcome == "counted"


def test_the_newest_forgotten_event_counts_even_if_it_came_first() -> None:
    ahead = an_event(FAILED, at=after(50))
    events = _events(REMEMBERED_EVENTS + 1)
    row = _row_after([ahead, *events])
    assert decide_once(row, an_event(FAILED, at=after(49)), _count).outcome == OUTDATED
    assert decide_once(row, an_event(FAILED, at=after(51)), _count).outcome == "counted"


def test_a_topic_does_not_outdate_the_events_of_another() -> None:
    row = _row_after(_events(2 * REMEMBERED_EVENTS))
    assert decide_once(row, an_event(a_cancel(), at=after(-900)), _count).outcome == "counted"


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-5, 20)), max_size=60), st.data())
def test_any_repeat_changes_nothing(drawn: list[tuple[int, int]], data: st.DataObject) -> None:
    seconds, row = 0, None
    events, rows = [], []
    for kind, pause in drawn:
        seconds += pause
        events.append(an_event(FAILED if kind else a_cancel(), at=after(seconds)))
        row = decide_once(row, events[-1], _count).row
        rows.append(row)
    if not events:
        return
    for event in data.draw(st.lists(st.sampled_from(events), max_size=20)):
        assert decide_once(row, event, _count).row == row


def test_an_event_with_an_earlier_clock_is_remembered_too() -> None:
    late, early = an_event(FAILED, at=after(300)), an_event(FAILED)
    row = _row_after([late, early])
    assert (row.outcome_of(late.id), row.outcome_of(early.id)) == ("counted", "counted")


def test_a_row_made_anew_remembers_what_its_key_decided_and_goes_on_counting() -> None:
    old = _row_after(_events(2), _Counter(version=41))
    renewed = decide_once(old, an_event(FAILED), _renew).row
    assert renewed is not None
    assert (renewed.count, renewed.version) == (0, 44)
    assert [each.event_id for each in renewed.processed[:-1]] == [each.event_id for each in old.processed]


def test_where_there_is_no_row_nothing_is_remembered() -> None:
    decision = decide_once(_Counter(), an_event(FAILED), _delete)
    assert decision == Decision(None, (FAILED,), "deleted")


def test_a_decision_is_ok_unless_it_says_otherwise() -> None:
    assert Decision(None) == Decision(None, (), OK)
