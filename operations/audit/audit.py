"""The audit itself, over what was read: first the rows, then the messages, then the events.

What was read of Kafka is on the disk, and memory holds the rows of one key at a time. So memory grows with the longest
history of one key that its changelog still has; the disk, with the span and with the changelogs, which are read whole.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from operations.audit.bound_table import BoundTable
from operations.audit.diff import Diff
from operations.audit.events import examine_events, expect_of_relay
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.match_outputs import OutputMatcher
from operations.audit.messages import examine_messages, find_missing
from operations.audit.policies import Policies
from operations.audit.reading import ProgressCallback, silent
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Finding, Report
from operations.audit.row_history import RowHistory
from operations.audit.time_range import TimeRange
from operations.deployment import EVENTS
from schemas.topics import Topic
from services.common.rows.codec import read_row

_EVERY: Final = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LogAudit:
    """An audit of what was read.

    Attributes:
        archive: What was read: the changelogs whole, the other topics from before the span on to their ends.
        rulebook: The rules.
        span: The span.
        step: Shows progress.

    """

    archive: RecordStore
    rulebook: Policies
    span: TimeRange
    step: ProgressCallback = silent

    def run(self) -> Report:
        """Check that everything in the span follows."""
        report, ledger, comparison = Report(self.span), ExpectedMessages(self.archive), Diff(self.rulebook)
        tables = self.rulebook.tables()
        explainer = OutputMatcher(tables, self.archive, ledger, comparison)
        topics = (*EVENTS, *(table.changelog for table in tables if table.model))
        report.read.update({topic.name: self.archive.count(topic) for topic in topics})
        for table in tables:
            if table.model is None:
                expect_of_relay(table, self.archive, ledger)
            else:
                self._examine_rows(table, ledger, comparison, report)
        for topic in EVENTS:
            examine_messages(self._stepped(topic), self.rulebook, explainer, self.archive, report)
        find_missing(self.archive, ledger, report)
        for table in tables:
            for topic in table.reads:
                examine_events(table, self.archive.records(topic), self.archive, ledger, report)
        return report

    def _examine_rows(self, table: BoundTable, ledger: ExpectedMessages, comparison: Diff, report: Report) -> None:
        rows = self._counted(table.changelog, self.archive.by_key(table.changelog))
        for key, records in groupby(rows, key=lambda record: record.key):
            chain = RowHistory(table, self.archive, comparison)
            for record in records:
                self._examine_row(table, chain, record, ledger, report)
            for decided, record in chain.lost():
                if self.archive.is_settled(table.service, decided.cause):
                    why = f"it leaves aside the event {decided.event.id}, which another owner decided, and for good"
                    report.accuse(Finding.of(record, why, f"row of {table.name}"))
            ledger.close_chain(table, key or b"", chain)

    def _examine_row(
        self, table: BoundTable, chain: RowHistory, record: StoredRecord, ledger: ExpectedMessages, report: Report
    ) -> None:
        kind = f"row of {table.name}"
        if record.key is None or self.archive.is_astray(record):
            report.accuse(Finding.of(record, "its key does not belong to its partition", kind))
            return
        judgement = chain.take(record)
        if judgement.unchecked is not None and record.value is not None and table.model is not None:
            ledger.remember(read_row(table.model, record.value), record)
        if record.at not in self.span:
            return
        if judgement.kind is not None:
            report.checked[judgement.kind] += 1
        elif judgement.unchecked is not None:
            report.unchecked[judgement.unchecked] += 1
        else:
            report.accuse(Finding.of(record, judgement.why, kind))

    def _stepped(self, topic: Topic) -> Iterator[StoredRecord]:
        return self._counted(topic, self.archive.records(topic))

    def _counted(self, topic: Topic, records: Iterable[_T]) -> Iterator[_T]:
        """Give records, and say now and then how many there were."""
        total = self.archive.count(topic)
        for number, each in enumerate(records):
            if number % _EVERY == 0:
                self.step(f"checking {topic.name}", number, total)
            yield each
