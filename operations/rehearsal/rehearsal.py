"""Rehearsal of settings: replays the accounts' history under the present and under changed limits."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

from operations.audit.reading import ProgressCallback, read_records, silent
from operations.audit.record_store import RecordStore
from operations.audit.time_range import TimeRange
from operations.rehearsal.initial_state import History, history_of
from operations.rehearsal.login_timelines import LoginTimeline, replay
from operations.rehearsal.signer import RecordedSigner
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.connection import KafkaConnection
from services.login.domain.limits import Limits
from services.login.domain.policy import Policy
from services.login.tables import ACCOUNTS

MAX_CHANGES: Final = 10_000
"""Maximum number of reported logins of each kind, the first ones; all are counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """A login with another end under the changed settings.

    Attributes:
        account_id: The account.
        began_at: When the login started.
        present: Its end under the present settings.
        changed: Its end under the changed settings.
        why: Why it is rejected under the settings under which it does not pass.

    """

    account_id: str
    began_at: datetime
    present: str
    changed: str
    why: str


@dataclass(slots=True)
class Rehearsal:
    """The result of a rehearsal.

    Attributes:
        accounts: The number of accounts with events in the time range.
        approximate: The number of accounts whose initial counters are unknown.
        logins: The number of logins that started in the time range.
        stops: The number of logins that the changed settings would have stopped.
        passes: The number of logins that would newly have passed, or got further.
        decisions: The number of replayed decisions with a recorded outcome.
        agreeing: The number of these whose outcome under the present settings equals the recorded one.
        stopped: The logins that would have been stopped, at most MAX_CHANGES.
        passed: The logins that would newly have passed or got further, at most MAX_CHANGES.

    """

    accounts: int = 0
    approximate: int = 0
    logins: int = 0
    stops: int = 0
    passes: int = 0
    decisions: int = 0
    agreeing: int = 0
    stopped: list[Change] = field(default_factory=list)
    passed: list[Change] = field(default_factory=list)


async def rehearse(  # noqa: PLR0913 - a deployment, two sets of limits, a span
    connection: KafkaConnection,
    prefix: str,
    *,
    present: Limits,
    changed: Limits,
    time_range: TimeRange | None = None,
    on_progress: ProgressCallback = silent,
) -> Rehearsal:
    """Replay the history of all accounts under two sets of limits.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.
        present: The limits in force.
        changed: The changed limits.
        time_range: When the compared logins started; None for all whose events Kafka still has.
        on_progress: Displays progress.

    Raises:
        ReadingError: If Kafka cannot be read.

    """
    whole = time_range or TimeRange()
    topics = (*ACCOUNTS.reads, ACCOUNTS.changelog)
    async with read_records(connection, prefix, topics, whole, on_progress) as store:
        return await asyncio.to_thread(rehearse_records, store, present, changed, whole, on_progress)


def rehearse_records(
    store: RecordStore, present: Limits, changed: Limits, time_range: TimeRange, on_progress: ProgressCallback = silent
) -> Rehearsal:
    """Replay stored histories; memory holds one account's history at a time, and the changes."""
    rehearsal = Rehearsal()
    changelog = ACCOUNTS.changelog
    store.judge_rows(changelog)
    total, done = store.count(changelog), 0
    for key, group in groupby(store.by_key(changelog), key=lambda record: record.key):
        rows = [*group]
        done += len(rows)
        on_progress("replaying", done, total)
        counting = [row for row in rows if store.counts(row)]
        history = history_of(counting, store.of_key(ACCOUNTS.reads, key or b""), time_range.since)
        _compare(history, present, changed, time_range, rehearsal)
    return rehearsal


def _compare(history: History, present: Limits, changed: Limits, time_range: TimeRange, rehearsal: Rehearsal) -> None:
    until = min(now(), time_range.until)
    events = tuple(each for each in history.events if each.time <= time_range.until)
    signer = RecordedSigner(history.numbers)
    present_replay = replay(history.initial, events, Policy(present, signer), until)
    changed_replay = replay(history.initial, events, Policy(changed, signer), until)
    rehearsal.accounts += bool(events)
    rehearsal.approximate += bool(events) and not history.exact
    comparable = [each for each in present_replay.outcomes if each in history.outcomes]
    rehearsal.decisions += len(comparable)
    rehearsal.agreeing += sum(present_replay.outcomes[each] == history.outcomes[each] for each in comparable)
    for login_id, timeline in present_replay.timelines.items():
        if timeline.began_at not in time_range:
            continue
        rehearsal.logins += 1
        other = changed_replay.timelines[login_id]
        if timeline.approved and not other.approved:
            rehearsal.stops += 1
            _add_change(rehearsal.stopped, _change(timeline, other, _reason(other, timeline)))
        elif not timeline.approved and _got_further(timeline, other):
            rehearsal.passes += 1
            _add_change(rehearsal.passed, _change(timeline, other, _reason(timeline, other)))


def _got_further(timeline: LoginTimeline, other: LoginTimeline) -> bool:
    """Return whether a login passes under the other limits, or passes a step that rejected it."""
    return other.approved or any(
        outcome != OK and other.steps.get(event_id) == OK for event_id, outcome in timeline.steps.items()
    )


def _reason(rejected: LoginTimeline, passing: LoginTimeline) -> str:
    """Return why a login is rejected that passes under other limits: the first outcome that differs."""
    differing: Iterator[str] = (
        outcome for event_id, outcome in rejected.steps.items() if outcome not in {OK, passing.steps.get(event_id)}
    )
    return next(differing, rejected.end).replace("_", " ")


def _change(timeline: LoginTimeline, other: LoginTimeline, why: str) -> Change:
    return Change(timeline.account_id, timeline.began_at, timeline.end, other.end, why)


def _add_change(changes: list[Change], change: Change) -> None:
    if len(changes) < MAX_CHANGES:
        changes.append(change)
