"""The history of a key's rows that count, of which each must follow from the one before it and an event."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Judgement, ReplayedEvent, Replayer
from operations.audit.diff import Diff
from operations.audit.record_store import MARGIN, RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from operations.audit.time_range import BEGINNING
from services.common.decisions import ForgottenUntil, Row
from services.common.rows.codec import read_row


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A possible predecessor: the last row, or the row that the rules lead to instead."""

    row: Row
    record: StoredRecord


@dataclass(slots=True)
class RowHistory:
    """The rows of a key that count, as far as they were read.

    Attributes:
        decided: The replayed decisions by event id; several if a row had forgotten an event that came again.
        seen: The ids of all applied events, replayed or not.
        forgotten: What the rows forgot: after the event at which offset of a topic (-1: unknown), up to which time.
        complete_since: The time from which all decisions on the key are known.
        first_at: The time of the first row; None before it.
        deleted: True once the row was deleted.

    """

    table: BoundTable
    store: RecordStore
    diff: Diff
    decided: dict[str, list[ReplayedEvent]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    forgotten: list[tuple[int, ForgottenUntil]] = field(default_factory=list)
    complete_since: datetime | None = None
    first_at: datetime | None = None
    deleted: bool = False
    _predecessors: list[KnownRow] = field(default_factory=list)
    """The last row; where it does not follow, the row that the rules lead to instead as well."""

    def judge(self, record: StoredRecord) -> Judgement:
        """Judge the next record of the key that counts."""
        self.first_at = self.first_at or record.at
        judgement = self._deletion(record) if record.value is None else self._row(record, record.value)
        for each in judgement.decided:
            each.due = not judgement.why
            self.seen.add(each.event.id)
            self.decided.setdefault(each.event.id, []).append(each)
            decided: Row | None = each.decision.row
            forgotten = decided.forgotten if decided is not None else ()
            self.forgotten += [(each.cause.offset, until) for until in forgotten if until.topic == each.cause.topic]
        return judgement

    def _row(self, record: StoredRecord, value: bytes) -> Judgement:
        model: Any = self.table.model
        try:
            row: Row = read_row(model, value)
        except ValidationError:
            return self._judge_invalid(f"it is not a row of the table {self.table.name}", record)
        if self._predecessors and self._predecessors[0].row == row:
            return Judgement(Checked.REPEATED_ROW)
        predecessors: list[KnownRow | None] = [*self._predecessors] or [None]
        judged = [(self._judge(each, row, record), each) for each in predecessors]
        judgement, before = min(judged, key=lambda each: each[0].rank)
        if judgement.why and judgement.expected is None:
            judgement = self._with_probable_row(judgement, before, record)
        self._remember(judgement, row, record)
        return judgement

    def _judge(self, before: KnownRow | None, row: Row, record: StoredRecord) -> Judgement:
        version = before.row.version if before else 0
        start = f"version {version}" if before else "nothing"
        versions = row.version - version
        if versions < 1:
            return Judgement.wrong(f"it has version {row.version} and follows {start}")
        offset = before.record.offset if before else -1
        topic = self.table.changelog
        if self.store.count_compacted(topic, record.partition, offset, record.offset) < versions - 1:
            return Judgement.wrong(
                f"it has version {row.version} and follows {start}, though no row was compacted there"
            )
        replayer = Replayer(self.table, self.store, self.diff, record)
        return replayer.judge(before.row if before else None, row, versions)

    def _judge_invalid(self, why: str, record: StoredRecord) -> Judgement:
        before = self._predecessors[0] if self._predecessors else None
        judgement = self._with_probable_row(Judgement.wrong(why), before, record)
        if judgement.expected is not None:
            self._predecessors.append(KnownRow(judgement.expected, record))
        return judgement

    def _with_probable_row(self, judgement: Judgement, before: KnownRow | None, record: StoredRecord) -> Judgement:
        """Add the probable original of a replaced row: the decision on the first event that no row has applied.

        So the rows that follow from the original are not reported as well.
        """
        replayer = Replayer(self.table, self.store, self.diff, record)
        for cause in sorted(self._undecided(record), key=lambda each: (each.at, each.offset)):
            decided = replayer.decide(before.row if before else None, cause)
            if isinstance(decided, ReplayedEvent) and decided.decision.row and not decided.decision.repeated:
                return Judgement.wrong(judgement.why, (*judgement.decided, decided), decided.decision.row)
        return judgement

    def _remember(self, judgement: Judgement, row: Row, record: StoredRecord) -> None:
        """Take a row as the predecessor of the next one."""
        if not judgement.why:
            self.seen.update(each.event_id for each in row.processed)
        if judgement.unchecked is not None:
            self.forgotten += [(-1, until) for until in row.forgotten]
        if judgement.kind is not None:
            self.complete_since = self.complete_since or BEGINNING
        elif self.complete_since is None or judgement.unchecked is Unchecked.ROW_COMPACTED:
            self.complete_since = record.at
        self._predecessors = [KnownRow(row, record)]
        if judgement.expected is not None:
            version = max(row.version, judgement.expected.version)
            self._predecessors.append(KnownRow(replace(judgement.expected, version=version), record))

    def _deletion(self, record: StoredRecord) -> Judgement:
        before = self._predecessors[0] if self._predecessors else None
        self._predecessors, self.deleted = [], True
        if before is None:
            return Judgement(Checked.DELETED_ROW)
        for event in self._undecided(record):
            decided = Replayer(self.table, self.store, self.diff, record).decide(before.row, event)
            if isinstance(decided, ReplayedEvent) and decided.decision.row is None:
                return Judgement(Checked.DELETED_ROW, decided=(decided,))
        if self.store.covers(self.table.reads, record.at - MARGIN, record.partition):
            return Judgement.wrong("the row was deleted without an event")
        return Judgement(unchecked=Unchecked.EVENT_GONE)

    def _undecided(self, record: StoredRecord) -> Iterator[StoredRecord]:
        """Yield the events of the key that no row has applied."""
        for each in self.store.of_key(self.table.reads, record.key or b""):
            if dict(each.headers).get("ce_id", b"").decode(errors="replace") not in self.seen:
                yield each
