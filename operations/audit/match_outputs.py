"""Which decision explains a message that was published: there must be one, under that id, and it must say the same."""

from dataclasses import dataclass
from typing import Final

from operations.audit.bound_table import BoundTable
from operations.audit.diff import Diff
from operations.audit.events import decide_rowless
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from operations.deployment import TOPOLOGIES
from schemas.base import Message
from schemas.codec import Event

Explanation = Checked | Unchecked | str
"""What a message comes to: explained; not to be checked; or why nothing explains it, in plain words."""


WEB_WRITES: Final = tuple(message for each in TOPOLOGIES for message in each.web_writes)


@dataclass(frozen=True, slots=True)
class OutputMatcher:
    """Explains messages from what was found out about the rows."""

    tables: tuple[BoundTable, ...]
    archive: RecordStore
    ledger: ExpectedMessages
    comparison: Diff

    def is_asked(self, event: Event[Message]) -> bool:
        """Tell whether a message is a wish of some web side, which no decision has to explain."""
        kinds = {kind for table in self.tables for kind in table.writes}
        asks_too = isinstance(event.data, WEB_WRITES) and event.source not in {each.source for each in self.tables}
        return type(event.data) not in kinds or asks_too

    def explain(self, record: StoredRecord, event: Event[Message]) -> Explanation:
        """Explain a message."""
        expected = self.ledger.expected(record.topic, event.id)
        if expected:
            for each in expected:
                same_trace = each.traceparent in {None, event.traceparent}
                if each.at == event.time and same_trace and self.comparison.same(each.message, event.data):
                    return Checked.MESSAGE
            names = self.comparison.differences(expected[0].message, event.data)
            return (
                f"a decision led to another message under this id: they differ in {', '.join(names) or 'the headers'}"
            )
        table = next((each for each in self.tables if each.source == event.source), None)
        if table is None or type(event.data) not in table.writes:
            return f"its source {event.source!r} does not publish such messages"
        cause_id, _, number = event.id.rpartition(".")
        if not cause_id or not number.isascii() or not number.isdecimal():
            return "its id does not follow from an event, as the ids of what is decided do"
        cause = self.archive.first_of(table.reads, cause_id)
        if cause is None:
            gone = not self.archive.covers(table.reads, event.time)
            return Unchecked.EVENT_GONE if gone else f"there is no event {cause_id} that could have led to it"
        return self._by_cause(table, cause, event, int(number))

    def _by_cause(self, table: BoundTable, cause: StoredRecord, event: Event[Message], number: int) -> Explanation:
        decided = self.ledger.is_decided(table, event.id.rpartition(".")[0])
        if decided is not None:
            what = f"the event that it names was decided by {table.source}, and led to no such message"
            return what if decided else Unchecked.DECISION_COMPACTED
        if self.ledger.may_be_rowless(table, cause) and self._rowless(table, cause, event, number):
            return Checked.MESSAGE
        if table.model is None:
            return f"the event that it names does not lead to such a message of {table.source}"
        if not self.ledger.knows(table, cause):
            return Unchecked.DECISION_COMPACTED
        return f"the event that it names was never decided by {table.source}"

    def _rowless(self, table: BoundTable, cause: StoredRecord, event: Event[Message], number: int) -> bool:
        """Tell whether an event leads to a message where there is no row."""
        decision = decide_rowless(table, cause)
        if decision is None or number >= len(decision.events):
            return False
        named = cause.event()
        same = (named.time, named.traceparent) == (event.time, event.traceparent)
        return same and self.comparison.same(decision.events[number], event.data)
