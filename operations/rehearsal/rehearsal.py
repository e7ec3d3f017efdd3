"""Rehearses other settings: the accounts' history decided once more, under the present rules and under changed ones."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

from operations.audit.reading import ProgressCallback, read_archive, silent
from operations.audit.record_store import RecordStore
from operations.audit.time_range import TimeRange
from operations.rehearsal.initial_state import History, history_of
from operations.rehearsal.login_timelines import LoginTimeline, play
from operations.rehearsal.signer import RecordedSigner
from services.common.clock import now
from services.common.decisions import OK
from services.login.domain.limits import Limits
from services.login.domain.policy import Policy
from services.login.tables import ACCOUNTS

MOST_KEPT: Final = 10_000
"""So many logins of each kind are kept, the first ones; all are counted."""


@dataclass(frozen=True, slots=True)
class Change:
    """A login that would have gone otherwise.

    Attributes:
        account_id: Whose it was.
        began_at: When it began.
        present: How it ends under the present settings.
        changed: How it ends under the changed ones.
        why: What decides it: why it is refused under those under which it does not pass.

    """

    account_id: str
    began_at: datetime
    present: str
    changed: str
    why: str


@dataclass(slots=True)
class Rehearsal:
    """What other settings would have made of a history.

    Attributes:
        accounts: How many accounts did something in the span.
        approximate: How many of them were replayed from a beginning whose counters are unknown.
        logins: How many logins began in the span.
        stops: How many of them would have been stopped.
        passes: How many would newly have passed, or got further than they did.
        decisions: How many decisions were made again of which rows tell how they ended.
        agreeing: How many of these end under the present settings as they ended then.
        stopped: The logins that would have been stopped, no more than MOST_KEPT.
        passed: Those that would newly have passed, likewise.

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
    bootstrap: str,
    prefix: str,
    *,
    present: Limits,
    changed: Limits,
    span: TimeRange | None = None,
    step: ProgressCallback = silent,
) -> Rehearsal:
    """Replay the history of all accounts under two sets of limits.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.
        present: The limits in force.
        changed: The changed ones.
        span: Which logins: those that began in it; None is all whose events are still there.
        step: Shows progress.

    Raises:
        ReadingError: If Kafka cannot be read.

    """
    whole = span or TimeRange()
    topics = (*ACCOUNTS.reads, ACCOUNTS.changelog)
    async with read_archive(bootstrap, prefix, topics, whole, step) as archive:
        return await asyncio.to_thread(rehearse_archive, archive, present, changed, whole, step)


def rehearse_archive(
    archive: RecordStore, present: Limits, changed: Limits, span: TimeRange, step: ProgressCallback = silent
) -> Rehearsal:
    """Replay the histories that were read; memory holds one account's at a time, and the changes found."""
    rehearsal = Rehearsal()
    changelog = ACCOUNTS.changelog
    total, seen = archive.count(changelog), 0
    for key, group in groupby(archive.by_key(changelog), key=lambda record: record.key):
        rows = [*group]
        seen += len(rows)
        step("replaying", seen, total)
        history = history_of(rows, archive.of_key(ACCOUNTS.reads, key or b""), span.since)
        _compare(history, present, changed, span, rehearsal)
    return rehearsal


def _compare(history: History, present: Limits, changed: Limits, span: TimeRange, rehearsal: Rehearsal) -> None:
    until = min(now(), span.until)
    events = tuple(each for each in history.events if each.time <= span.until)
    signer = RecordedSigner(history.numbers)
    as_it_is = play(history.beginning, events, Policy(present, signer), until)
    as_changed = play(history.beginning, events, Policy(changed, signer), until)
    rehearsal.accounts += bool(events)
    rehearsal.approximate += bool(events) and not history.exact
    told = [each for each in as_it_is.outcomes if each in history.outcomes]
    rehearsal.decisions += len(told)
    rehearsal.agreeing += sum(as_it_is.outcomes[each] == history.outcomes[each] for each in told)
    for login_id, course in as_it_is.courses.items():
        if course.began_at not in span:
            continue
        rehearsal.logins += 1
        other = as_changed.courses[login_id]
        if course.approved and not other.approved:
            rehearsal.stops += 1
            _keep(rehearsal.stopped, _change(course, other, _reason(other, course)))
        elif not course.approved and _got_further(course, other):
            rehearsal.passes += 1
            _keep(rehearsal.passed, _change(course, other, _reason(course, other)))


def _got_further(course: LoginTimeline, other: LoginTimeline) -> bool:
    """Tell whether a login passes under other rules, or passes a step that refused it."""
    return other.approved or any(
        refusal != OK and other.steps.get(event_id) == OK for event_id, refusal in course.steps.items()
    )


def _reason(refused: LoginTimeline, passing: LoginTimeline) -> str:
    """Return why a login does not pass where it does under other rules: the first step that ends otherwise."""
    differing: Iterator[str] = (
        refusal for event_id, refusal in refused.steps.items() if refusal not in {OK, passing.steps.get(event_id)}
    )
    return next(differing, refused.end).replace("_", " ")


def _change(course: LoginTimeline, other: LoginTimeline, why: str) -> Change:
    return Change(course.account_id, course.began_at, course.end, other.end, why)


def _keep(kept: list[Change], change: Change) -> None:
    if len(kept) < MOST_KEPT:
        kept.append(change)
