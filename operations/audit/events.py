"""Checks the events that the services read: each must be decided, dead-lettered or pending."""

from collections.abc import Iterable

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import ReplayedEvent
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Finding, Report, Unchecked
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from services.common.decisions import Decision, Row, UnacceptableError, decide_once
from services.common.kafka.dead_letters import OFFSET, PARTITION, SERVICE


def expect_relayed_messages(table: BoundTable, store: RecordStore, expected_messages: ExpectedMessages) -> None:
    """Expect the messages that a relay forwards."""
    for topic in table.reads:
        for record in store.records(topic):
            decision = decide_without_row(table, record)
            if decision is not None:
                expected_messages.expect(table, ReplayedEvent(record.event(), record, decision, record))


def examine_events(
    table: BoundTable,
    records: Iterable[StoredRecord],
    store: RecordStore,
    expected_messages: ExpectedMessages,
    report: Report,
) -> None:
    """Check that a table's owner decided the events of a topic in the time range.

    An event that a row remembers was checked with the row.
    """
    for record in records:
        if record.at not in report.time_range:
            continue
        try:
            event = record.event()
        except UndecodableError:
            continue  # the check of the messages reports it
        committed = store.is_committed(table.service, record)
        if expected_messages.is_decided(table, event.id) is not None and (committed or table.model is not None):
            continue
        if not committed:
            report.unchecked[Unchecked.PENDING] += 1
        elif _is_dead_lettered(table, record, event, store):
            report.checked[Checked.DEAD_LETTERED] += 1
        elif expected_messages.is_outdated(table, record):
            report.checked[Checked.OUTDATED] += 1
        else:
            _examine_unremembered(table, record, store, expected_messages, report)


def decide_without_row(table: BoundTable, record: StoredRecord) -> Decision[Row] | None:
    """Decide an event of a key without a row.

    Returns:
        The decision if it creates no row, else None.

    """
    try:
        decision = decide_once(None, record.event(), table.decide)
    except (UndecodableError, UnacceptableError):
        return None
    return decision if decision.row is None else None


def _examine_unremembered(
    table: BoundTable, record: StoredRecord, store: RecordStore, expected_messages: ExpectedMessages, report: Report
) -> None:
    """Check an event that no row remembers."""
    event_id = record.event().id
    decision = decide_without_row(table, record) if expected_messages.may_lack_row(table, record) else None
    if decision is not None:
        ids = [f"{event_id}.{index}" for index in range(len(decision.events))]
        if all(store.of_event((message.topic,), each) for each, message in zip(ids, decision.events, strict=True)):
            report.checked[Checked.ROWLESS] += 1
        elif store.covers([message.topic for message in decision.events], record.at):
            report.add(Finding.of(record, "by the rules it leads to messages that were never published"))
        else:
            report.unchecked[Unchecked.MESSAGE_GONE] += 1
    elif expected_messages.knows(table, record):
        report.add(Finding.of(record, f"{table.source} neither decided nor dead-lettered it"))
    else:
        report.unchecked[Unchecked.DECISION_COMPACTED] += 1


def _is_dead_lettered(table: BoundTable, record: StoredRecord, event: Event[Message], store: RecordStore) -> bool:
    place = (str(record.partition).encode(), str(record.offset).encode(), table.service.encode())
    for letter in store.of_event((event.data.topic.dead_letter,), event.id):
        headers = dict(letter.headers)
        if (headers.get(PARTITION), headers.get(OFFSET), headers.get(SERVICE)) == place:
            return True
    return False
