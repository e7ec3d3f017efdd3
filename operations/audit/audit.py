"""The audit of a deployment: reads its topics, then checks the rows, the messages and the events.

The records are on disk, and memory holds the rows of one key at a time. So memory grows with the longest history of a
key in its changelog; disk usage grows with the time range and with the changelogs, which are read completely.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Judgement
from operations.audit.diff import Diff
from operations.audit.events import examine_events, expect_relayed_messages
from operations.audit.expected_messages import ExpectedMessages
from operations.audit.match_outputs import OutputMatcher
from operations.audit.messages import examine_messages, find_missing_messages
from operations.audit.policies import Policies
from operations.audit.reading import ProgressCallback, read_records, silent
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Finding, Report
from operations.audit.row_history import RowHistory
from operations.audit.time_range import TimeRange
from operations.deployment import ALL, EVENTS
from schemas.topics import Topic
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.partitions import is_part
from services.common.rows.changelog import is_row_key
from services.common.rows.codec import read_row
from services.common.rows.fence import is_mark, stamp_of

_EVERY: Final = 200
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class LogAudit:
    """An audit of stored records.

    Attributes:
        store: The records: complete changelogs, and the other topics from before the time range to their ends.
        policies: The services' policies.
        time_range: The time range.
        on_progress: Displays progress.

    """

    store: RecordStore
    policies: Policies
    time_range: TimeRange
    on_progress: ProgressCallback = silent

    def run(self) -> Report:
        """Check that every record in the time range follows."""
        report, expected_messages, diff = Report(self.time_range), ExpectedMessages(self.store), Diff(self.policies)
        tables = self.policies.tables()
        matcher = OutputMatcher(tables, self.store, expected_messages, diff)
        topics = (*EVENTS, *(table.changelog for table in tables if table.model))
        report.read.update({topic.name: self.store.count(topic) for topic in topics})
        for table in tables:
            if table.model is None:
                expect_relayed_messages(table, self.store, expected_messages)
            else:
                self._examine_rows(table, expected_messages, diff, report)
        for topic in EVENTS:
            examine_messages(self._topic_records(topic), self.policies, matcher, self.store, report)
        find_missing_messages(self.store, expected_messages, report)
        for table in tables:
            for topic in table.reads:
                examine_events(table, self.store.records(topic), self.store, expected_messages, report)
        return report

    def _examine_rows(self, table: BoundTable, expected_messages: ExpectedMessages, diff: Diff, report: Report) -> None:
        self.store.judge_rows(table.changelog)
        rows = self._with_progress(table.changelog, self.store.by_key(table.changelog))
        for key, records in groupby(rows, key=lambda record: record.key):
            history = RowHistory(table, self.store, diff)
            for record in records:
                self._examine_row(table, history, record, expected_messages, report)
            if history.first_at is not None:
                expected_messages.add_history(table, key or b"", history)

    def _examine_row(
        self,
        table: BoundTable,
        history: RowHistory,
        record: StoredRecord,
        expected_messages: ExpectedMessages,
        report: Report,
    ) -> None:
        if record.key is not None and (is_mark(record.key) or is_part(record.key)):
            return
        judgement = history.judge(record) if self.store.counts(record) else self._judge_uncounted(record)
        if judgement.unchecked is not None and record.value is not None and table.model is not None:
            expected_messages.remember(read_row(table.model, record.value), record)
        if record.at not in self.time_range:
            return
        if judgement.kind is not None:
            report.checked[judgement.kind] += 1
        elif judgement.unchecked is not None:
            report.unchecked[judgement.unchecked] += 1
        else:
            report.add(Finding.of(record, judgement.why, f"row of {table.name}"))

    def _judge_uncounted(self, record: StoredRecord) -> Judgement:
        """Judge a record that is no row for any reader."""
        if record.key is None or not is_row_key(record.key):
            return Judgement.wrong("its key is not a row's")
        if self.store.is_misrouted(record):
            return Judgement.wrong("its key belongs to another partition")
        if stamp_of(record.headers) is None:
            return Judgement.wrong("it has no owner's stamp")
        return Judgement(Checked.VOID_ROW)

    def _topic_records(self, topic: Topic) -> Iterator[StoredRecord]:
        return self._with_progress(topic, self.store.records(topic))

    def _with_progress(self, topic: Topic, records: Iterable[_T]) -> Iterator[_T]:
        """Yield the records, and report the progress."""
        total = self.store.count(topic)
        for number, each in enumerate(records):
            if number % _EVERY == 0:
                self.on_progress(f"checking {topic.name}", number, total)
            yield each


async def audit_deployment(
    connection: KafkaConnection,
    prefix: str,
    policies: Policies,
    time_range: TimeRange | None = None,
    on_progress: ProgressCallback = silent,
) -> Report:
    """Check that every record of a time range in a deployment's topics follows.

    A row that counts must follow from the previous one and an event by its owner's decider; a message from a decision;
    a signature or seal from a key. The audit changes nothing, and the services may keep running: uncommitted events
    count as unchecked.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.
        policies: The policies and keys of the deployment (`load_policies`).
        time_range: The time range; None for all records.
        on_progress: Displays progress; takes the current step, the number of records done, and the total.

    Returns:
        The report, which also counts unchecked records by reason.

    Raises:
        ReadingError: If Kafka cannot be read.

    """
    whole = time_range or TimeRange()
    async with read_records(connection, prefix, ALL, whole, on_progress) as store:
        return await asyncio.to_thread(LogAudit(store, policies, whole, on_progress).run)
