"""The events that the services read: each one was decided, or set aside, or is still to come."""

from collections.abc import Iterable

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Decided
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Finding, Report, Unchecked
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from services.common.decisions import Decision, Row, UnacceptableError, decide_once
from services.common.kafka.dead_letters import OFFSET, PARTITION, SERVICE


def expect_of_relay(table: BoundTable, archive: RecordStore, ledger: ExpectedMessages) -> None:
    """Expect what a relay passes on of the events that it reads."""
    for topic in table.reads:
        for record in archive.records(topic):
            decision = decide_rowless(table, record)
            if decision is not None:
                ledger.expect(table, Decided(record.event(), record, decision, record))


def examine_events(
    table: BoundTable, records: Iterable[StoredRecord], archive: RecordStore, ledger: ExpectedMessages, report: Report
) -> None:
    """Check that the events of a topic that are in the span were decided by a table's owner.

    Those of which a row tells were checked with the row.
    """
    for record in records:
        if record.at not in report.span:
            continue
        try:
            event = record.event()
        except UndecodableError:
            continue  # that is said of it as a message
        settled = archive.is_settled(table.service, record)
        if ledger.is_decided(table, event.id) is not None and (settled or table.model is not None):
            continue
        if not settled:
            report.unchecked[Unchecked.PENDING] += 1
        elif _is_set_aside(table, record, event, archive):
            report.checked[Checked.SET_ASIDE] += 1
        else:
            _examine_unseen(table, record, archive, ledger, report)


def decide_rowless(table: BoundTable, record: StoredRecord) -> Decision[Row] | None:
    """Decide an event where there is no row.

    Returns:
        The decision if it leaves no row either, else None.

    """
    try:
        decision = decide_once(None, record.event(), table.decide)
    except (UndecodableError, UnacceptableError):
        return None
    return decision if decision.row is None else None


def _examine_unseen(
    table: BoundTable, record: StoredRecord, archive: RecordStore, ledger: ExpectedMessages, report: Report
) -> None:
    """Check an event of which no row tells."""
    event_id = record.event().id
    decision = decide_rowless(table, record) if ledger.may_be_rowless(table, record) else None
    if decision is not None:
        ids = [f"{event_id}.{index}" for index in range(len(decision.events))]
        if all(archive.of_event((message.topic,), each) for each, message in zip(ids, decision.events, strict=True)):
            report.checked[Checked.ROWLESS] += 1
        elif archive.covers([message.topic for message in decision.events], record.at):
            report.accuse(Finding.of(record, "what it leads to by the rules was never published"))
        else:
            report.unchecked[Unchecked.MESSAGE_GONE] += 1
    elif ledger.knows(table, record):
        report.accuse(Finding.of(record, f"it was neither decided by {table.source} nor set aside"))
    else:
        report.unchecked[Unchecked.DECISION_COMPACTED] += 1


def _is_set_aside(table: BoundTable, record: StoredRecord, event: Event[Message], archive: RecordStore) -> bool:
    place = (str(record.partition).encode(), str(record.offset).encode(), table.service.encode())
    for letter in archive.of_event((event.data.topic.dead_letter,), event.id):
        headers = dict(letter.headers)
        if (headers.get(PARTITION), headers.get(OFFSET), headers.get(SERVICE)) == place:
            return True
    return False
