"""Idempotency: a redelivered event changes nothing as long as its row remembers it, and that memory is bounded."""

from dataclasses import dataclass, replace
from datetime import timedelta

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import PairingFailed, PairingFailure
from services.common.decisions import OK, REMEMBERED_EVENTS, REMEMBERED_SECONDS, Decision, Row, decide_once
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


def test_what_an_event_led_to_is_forgotten_with_the_event() -> None:
    other = an_event(a_cancel(), at=after(REMEMBERED_SECONDS + 1))
    assert [each.event_id for each in _row_after([an_event(FAILED), other]).last_outputs] == [other.id]


def test_a_repeated_event_leads_to_the_same_even_after_the_row_was_stored() -> None:
    events = _events(2)
    stored = read_row(_Counter, write_row(_row_after(events)).decode())
    assert decide_once(stored, events[-1], _count) == Decision(stored, (FAILED,), "counted")


def test_the_newest_events_are_remembered_and_no_more_than_a_few() -> None:
    events = _events(REMEMBERED_EVENTS + 1)
    row = _row_after(events)
    assert [each.event_id for each in row.processed] == [event.id for event in events[1:]]
    assert len(row.processed) == REMEMBERED_EVENTS


def test_an_event_is_remembered_for_a_while() -> None:
    first, last = an_event(FAILED), an_event(FAILED, at=after(REMEMBERED_SECONDS))
    too_late = an_event(FAILED, at=last.time + timedelta(milliseconds=1))
    assert _row_after([first, last]).outcome_of(first.id) == "counted"
    assert _row_after([first, too_late]).outcome_of(first.id) is None


def test_an_event_with_an_earlier_clock_is_remembered_too() -> None:
    late, early = an_event(FAILED, at=after(300)), an_event(FAILED)
    row = _row_after([late, early])
    assert (row.outcome_of(late.id), row.outcome_of(early.id)) == ("counted", "counted")


def test_a_row_made_anew_remembers_what_its_key_decided_and_keeps_its_stamp() -> None:
    old = _row_after(_events(2), _Counter(epoch=7, version=41))
    renewed = decide_once(old, an_event(FAILED), _renew).row
    assert renewed is not None
    assert (renewed.count, renewed.epoch, renewed.version) == (0, 7, 41)
    assert [each.event_id for each in renewed.processed[:-1]] == [each.event_id for each in old.processed]


def test_where_there_is_no_row_nothing_is_remembered() -> None:
    decision = decide_once(_Counter(), an_event(FAILED), _delete)
    assert decision == Decision(None, (FAILED,), "deleted")


def test_the_stamp_comes_first_in_a_stored_row() -> None:
    stored = write_row(_Counter(epoch=7, version=41, count=3)).decode()
    assert stored.startswith('{"epoch":7,"version":41,')


def test_a_decision_is_ok_unless_it_says_otherwise() -> None:
    assert Decision(None) == Decision(None, (), OK)
