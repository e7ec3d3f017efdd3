"""The initial state of an account for a replay, and the order in which its events were decided."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from operations.audit.record_store import StoredRecord
from operations.rehearsal.signer import NO_NUMBER
from protocol.challenges import verify_proof
from protocol.jose import SignatureError
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from schemas.contract import AuthResponse
from schemas.login_messages import SignIn
from services.common.rows.codec import read_row
from services.common.throttle import Throttle
from services.login.domain.account import Account, Push
from services.login.domain.login import EndReason
from services.login.domain.methods import RecoveryCodes


@dataclass(frozen=True, slots=True)
class History:
    """An account's history.

    Attributes:
        initial: The account before the events; None if they create it.
        events: The events, in the order of their decisions.
        outcomes: The recorded outcomes by event id, as far as rows remember them.
        numbers: By challenge id, the number in the phone's answer, unless a row shows that it was wrong.
        exact: False if the initial counters are unknown, because the row of that time was compacted.

    """

    initial: Account | None
    events: tuple[Event[Message], ...]
    outcomes: dict[str, str]
    numbers: dict[str, int] = field(default_factory=dict)
    exact: bool = True


def history_of(rows: Sequence[StoredRecord], records: Sequence[StoredRecord], since: datetime) -> History:
    """Return an account's history.

    Args:
        rows: The available records of its rows that count, in order.
        records: The available records of its events.
        since: The start of the history.

    """
    versions = [(each.at, read_row(Account, each.value)) for each in rows if each.value is not None]
    before = [row for at, row in versions if at < since]
    applied = [each for at, row in versions if at >= since for each in row.processed]
    order = {each.event_id: number for number, each in reversed([*enumerate(applied)])}
    done = {each.event_id for each in before[-1].processed} if before else set[str]()
    events = _in_order([each for each in _events(records) if each.id not in done], order)
    outcomes = {each.event_id: each.outcome for each in applied}
    numbers = _right_numbers(events, [row for _at, row in versions])
    if before:
        later = tuple(each for each in events if each.id in order or each.time >= before[-1].processed[-1].at)
        initial = replace(before[-1], processed=(), forgotten=(), last_outputs=())
        return History(initial, later, outcomes, numbers)
    first = versions[0][1] if versions else None
    if first is None or first.version <= len(first.processed):
        return History(None, events, outcomes, numbers)
    return History(_approximate(first, events), events, outcomes, numbers, exact=False)


def _right_numbers(events: Sequence[Event[Message]], rows: Sequence[Account]) -> dict[str, int]:
    """Return the answers' numbers that count as right; only a row shows that a number was wrong."""
    wrong = {
        login.challenge.challenge_id
        for row in rows
        for login in row.logins
        if login.challenge is not None and login.end_reason is EndReason.WRONG_NUMBER
    }
    numbers: dict[str, int] = {}
    for event in events:
        if isinstance(event.data, AuthResponse) and event.data.challenge_id not in wrong:
            with suppress(SignatureError):
                number = verify_proof(event.data.challenge, event.data.answer).number
                numbers[event.data.challenge_id] = NO_NUMBER if number is None else number
    return numbers


def _events(records: Sequence[StoredRecord]) -> list[Event[Message]]:
    found: dict[str, Event[Message]] = {}
    for record in sorted(records, key=lambda each: each.at):
        try:
            event = record.event()
        except UndecodableError:
            continue
        found.setdefault(event.id, event)
    return [*found.values()]


def _in_order(events: list[Event[Message]], order: dict[str, int]) -> tuple[Event[Message], ...]:
    """Sort events in the order of their decisions: by the rows, and between those by time if no row lists them."""
    ordered = sorted((each for each in events if each.id in order), key=lambda each: order[each.id])
    others = sorted((each for each in events if each.id not in order), key=lambda each: each.time)
    merged: list[Event[Message]] = []
    for each in ordered:
        while others and others[0].time < each.time:
            merged.append(others.pop(0))
        merged.append(each)
    return (*merged, *others)


def _approximate(row: Account, events: Sequence[Event[Message]]) -> Account:
    """Return an approximation of an account before the events, from a row after some of them.

    It has the methods of that time; all its failure counters are zero.
    """
    at = events[0].time if events else row.created_at
    used = [each.data.password_hash for each in events if isinstance(each.data, SignIn)]
    return replace(
        row,
        processed=(),
        forgotten=(),
        last_outputs=(),
        logins=(),
        sessions=(),
        enrolment_emails=(),
        push=Push(),
        phrases=Throttle(),
        devices=tuple(replace(each, last_time_step=0) for each in row.devices if each.paired_at < at),
        apps=tuple(replace(each, last_time_step=0) for each in row.apps if each.added_at < at),
        recovery=_unspent(row.recovery, at),
        password_hash=used[0] if used else row.password_hash,
        remembered=tuple(each for each in row.remembered if each.since < at),
        removed_at=None,
    ).with_attempts_cleared()


def _unspent(recovery: RecoveryCodes | None, at: datetime) -> RecoveryCodes | None:
    if recovery is None or recovery.made_at > at:
        return None
    codes = tuple(
        each if each.used_at is None or each.used_at < at else replace(each, used_at=None) for each in recovery.codes
    )
    return replace(recovery, codes=codes)
