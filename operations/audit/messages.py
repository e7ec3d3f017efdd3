"""Checks the messages in the topics: valid signatures, a decision for each message, and no missing message."""

from collections.abc import Iterable

from operations.audit.evidence import SIGNED, find_flaw
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.match_outputs import OutputMatcher
from operations.audit.policies import Policies
from operations.audit.record_store import MARGIN, RecordStore, StoredRecord
from operations.audit.report import Checked, Finding, Report, Unchecked
from operations.audit.time_range import BEGINNING
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from schemas.contract import AuthResponse


def examine_messages(
    records: Iterable[StoredRecord], policies: Policies, matcher: OutputMatcher, store: RecordStore, report: Report
) -> None:
    """Check the messages of a topic in the time range.

    Args:
        records: The topic's records.
        policies: The policies with the keys.
        matcher: Matches messages with decisions.
        store: All records.
        report: Updated with the results.

    """
    for record in records:
        if record.at not in report.time_range:
            continue
        try:
            event = record.event()
        except UndecodableError as error:
            report.add(Finding.of(record, f"it is not a valid message: {error}"))
            continue
        why = _flaw(record, event, policies, store, report)
        if not why and matcher.is_command(event):
            report.asked[event.data.type] += 1
        elif not why:
            why = _unexplained(record, event, matcher, report)
        if why:
            report.add(Finding.of(record, why))


def find_missing_messages(store: RecordStore, expected_messages: ExpectedMessages, report: Report) -> None:
    """Find the messages of decisions that were never published."""
    for topic, expected in expected_messages.missing():
        row = store.at(*expected.position)
        if row.at not in report.time_range:
            continue
        if store.covers((expected.message.topic,), row.at - MARGIN):
            why = f"it leads to {expected.message.type} {expected.event_id}, which is missing in {topic}"
            report.add(Finding.of(row, why))
        else:
            report.unchecked[Unchecked.MESSAGE_GONE] += 1


def _flaw(record: StoredRecord, event: Event[Message], policies: Policies, store: RecordStore, report: Report) -> str:
    """Return what is wrong with the message itself; empty if nothing is."""
    if store.is_misrouted(record):
        return "its key belongs to another partition"
    first = store.first_of((event.data.topic,), event.id) or record
    if first.value != record.value and _content(first.event()) != _content(event):
        return "an earlier message with this id has other content"
    flaw = find_flaw(event, policies)
    if not flaw and isinstance(event.data, SIGNED):
        report.checked[Checked.SIGNED] += 1
    return flaw


def _content(event: Event[Message]) -> Message:
    """Return a message without what differs each time that it is sent: a device signs its answer anew."""
    message = event.data
    if not isinstance(message, AuthResponse):
        return message
    return message.model_copy(update={"answer": "", "answered_at": BEGINNING})


def _unexplained(record: StoredRecord, event: Event[Message], matcher: OutputMatcher, report: Report) -> str:
    """Return why a message does not follow from a decision; empty if it does or cannot be checked."""
    explanation = matcher.explain(record, event)
    if isinstance(explanation, Checked):
        report.checked[explanation] += 1
    elif isinstance(explanation, Unchecked):
        report.unchecked[explanation] += 1
    else:
        return explanation
    return ""
