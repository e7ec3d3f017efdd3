"""Matches each published message with a decision, which must have the same id and content."""

from dataclasses import dataclass
from typing import Final

from operations.audit.bound_table import BoundTable
from operations.audit.diff import Diff
from operations.audit.events import decide_without_row
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from operations.deployment import TOPOLOGIES
from schemas.base import Message
from schemas.codec import Event

Explanation = Checked | Unchecked | str
"""The result for a message: how it follows, why it cannot be checked, or in words why it does not follow."""


WEB_WRITES: Final = tuple(message for each in TOPOLOGIES for message in each.web_writes)


@dataclass(frozen=True, slots=True)
class OutputMatcher:
    """Matches messages with the decisions that the rows contain."""

    tables: tuple[BoundTable, ...]
    store: RecordStore
    expected_messages: ExpectedMessages
    diff: Diff

    def is_command(self, event: Event[Message]) -> bool:
        """Return whether a web side published a message, so that it needs no decision."""
        kinds = {kind for table in self.tables for kind in table.writes}
        from_web = isinstance(event.data, WEB_WRITES) and event.source not in {each.source for each in self.tables}
        return type(event.data) not in kinds or from_web

    def explain(self, record: StoredRecord, event: Event[Message]) -> Explanation:
        """Match a message with a decision."""
        expected = self.expected_messages.expected(record.topic, event.id)
        if expected:
            for each in expected:
                same_trace = each.traceparent in {None, event.traceparent}
                same_envelope = (each.at == event.time and same_trace) or self._follows_repeat(event)
                if same_envelope and self.diff.same(each.message, event.data):
                    return Checked.MESSAGE
            names = self.diff.differences(expected[0].message, event.data)
            return f"the decision's message with this id differs in {', '.join(names) or 'the headers'}"
        table = next((each for each in self.tables if each.source == event.source), None)
        if table is None or type(event.data) not in table.writes:
            return f"its source {event.source!r} does not publish messages of this type"
        cause_id, _, number = event.id.rpartition(".")
        if not cause_id or not number.isascii() or not number.isdecimal():
            return "its id is not derived from an event's id"
        cause = self.store.first_of(table.reads, cause_id)
        if cause is None:
            gone = not self.store.covers(table.reads, event.time)
            return Unchecked.EVENT_GONE if gone else f"there is no event {cause_id} that could have caused it"
        return self._by_cause(table, cause, event, int(number))

    def _follows_repeat(self, event: Event[Message]) -> bool:
        """Return whether a message has the time and the trace of one of the records of its cause.

        A phone sends an answer again, with another time and trace; it leads to the same messages.
        """
        reads = next((each.reads for each in self.tables if each.source == event.source), ())
        records = self.store.of_event(reads, event.id.rpartition(".")[0])
        origins = (each.event() for each in records if each.readable)
        return any((origin.time, origin.traceparent) == (event.time, event.traceparent) for origin in origins)

    def _by_cause(self, table: BoundTable, cause: StoredRecord, event: Event[Message], number: int) -> Explanation:
        decided = self.expected_messages.is_decided(table, event.id.rpartition(".")[0])
        if decided is not None:
            why = f"the decision of {table.source} on the event in its id has no message like this"
            return why if decided else Unchecked.DECISION_COMPACTED
        if self.expected_messages.may_lack_row(table, cause) and self._rowless(table, cause, event, number):
            return Checked.MESSAGE
        if table.model is None:
            return f"{table.source} does not forward the event in its id as a message like this"
        if not self.expected_messages.knows(table, cause):
            return Unchecked.DECISION_COMPACTED
        return f"{table.source} never decided the event in its id"

    def _rowless(self, table: BoundTable, cause: StoredRecord, event: Event[Message], number: int) -> bool:
        """Return whether an event of a key without a row leads to a message."""
        decision = decide_without_row(table, cause)
        if decision is None or number >= len(decision.events):
            return False
        return self._follows_repeat(event) and self.diff.same(decision.events[number], event.data)
