"""The messages in the topics: each one's signatures hold, and a decision explains it; and none is missing."""

from collections.abc import Iterable

from operations.audit.evidence import SIGNED, flaw_of
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.match_outputs import OutputMatcher
from operations.audit.policies import Policies
from operations.audit.record_store import MARGIN, RecordStore, StoredRecord
from operations.audit.report import Checked, Finding, Report, Unchecked
from schemas.base import Message
from schemas.codec import Event, UndecodableError


def examine_messages(
    records: Iterable[StoredRecord], rulebook: Policies, explainer: OutputMatcher, archive: RecordStore, report: Report
) -> None:
    """Check the messages of a topic that are in the span.

    Args:
        records: The topic's records.
        rulebook: Has the keys.
        explainer: Knows what was decided.
        archive: All that was read.
        report: Takes what is found.

    """
    for record in records:
        if record.at not in report.span:
            continue
        try:
            event = record.event()
        except UndecodableError as error:
            report.accuse(Finding.of(record, f"it is no message of ours: {error}"))
            continue
        why = _flaw(record, event, rulebook, archive, report)
        if not why and explainer.is_asked(event):
            report.asked[event.data.type] += 1
        elif not why:
            why = _unexplained(record, event, explainer, report)
        if why:
            report.accuse(Finding.of(record, why))


def find_missing(archive: RecordStore, ledger: ExpectedMessages, report: Report) -> None:
    """Find what was decided, and was published nowhere."""
    for topic, expected in ledger.missing():
        row = archive.at(*expected.place)
        if row.at not in report.span:
            continue
        if archive.covers((expected.message.topic,), row.at - MARGIN):
            why = f"it led to {expected.message.type} {expected.event_id}, which is not in {topic}"
            report.accuse(Finding.of(row, why))
        else:
            report.unchecked[Unchecked.MESSAGE_GONE] += 1


def _flaw(record: StoredRecord, event: Event[Message], rulebook: Policies, archive: RecordStore, report: Report) -> str:
    """Return what the message itself shows to be wrong, or nothing."""
    if archive.is_astray(record):
        return "its key does not belong to its partition"
    first = archive.first_of((event.data.topic,), event.id) or record
    if first.value != record.value and first.event().data != event.data:
        return "another message with this id came before it, and says something else"
    flaw = flaw_of(event.data, rulebook)
    if not flaw and isinstance(event.data, SIGNED):
        report.checked[Checked.SIGNED] += 1
    return flaw


def _unexplained(record: StoredRecord, event: Event[Message], explainer: OutputMatcher, report: Report) -> str:
    """Return why nothing explains a message that must have been decided, or nothing."""
    explanation = explainer.explain(record, event)
    if isinstance(explanation, Checked):
        report.checked[explanation] += 1
    elif isinstance(explanation, Unchecked):
        report.unchecked[explanation] += 1
    else:
        return explanation
    return ""
