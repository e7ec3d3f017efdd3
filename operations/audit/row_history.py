"""The history of a key's rows, of which each must follow from a predecessor and an event."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Judgement, ReplayedEvent, Replayer
from operations.audit.diff import Diff
from operations.audit.record_store import MARGIN, SLACK, RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from operations.audit.time_range import BEGINNING
from services.common.decisions import Row
from services.common.rows.codec import read_row
from services.common.rows.stamps import TOMBSTONE_HEADER, stamp

RECENT_VERSIONS: Final = 16
"""Number of recent versions in memory, from which a paused owner may have continued."""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A possible predecessor: a row from the changelog, valid or not, or the row that the rules lead to instead."""

    row: Row
    record: StoredRecord
    valid: bool = True


@dataclass(slots=True)
class RowHistory:
    """The rows of a key, as far as they were read.

    Attributes:
        decided: The replayed decisions by event id; two if two owners decided the event.
        seen: The ids of all applied events, replayed or not.
        superseded: By event id, the newer owner's record that drops the decision, until that owner decides the event.
        complete_since: The time from which all decisions on the key are known.
        first_at: The time of the first row.
        deleted: True once the row was deleted.

    """

    table: BoundTable
    store: RecordStore
    diff: Diff
    decided: dict[str, list[ReplayedEvent]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    superseded: dict[str, StoredRecord] = field(default_factory=dict)
    complete_since: datetime | None = None
    first_at: datetime | None = None
    deleted: bool = False
    _newest: KnownRow | None = None
    _versions: dict[int, list[KnownRow]] = field(default_factory=dict)
    _deleted_versions: dict[int, list[KnownRow]] = field(default_factory=dict)

    def judge(self, record: StoredRecord) -> Judgement:
        """Judge the next record of the key."""
        self.first_at = self.first_at or record.at
        judgement = self._deletion(record) if record.value is None else self._row(record, record.value)
        for each in judgement.decided:
            each.due = each.due and not judgement.why
            self.seen.add(each.event.id)
            self.decided.setdefault(each.event.id, []).append(each)
        return judgement

    def lost_decisions(self) -> Iterator[tuple[ReplayedEvent, StoredRecord]]:
        """Yield the decisions that a newer owner dropped and never made again, with the record that dropped them."""
        for event_id, record in self.superseded.items():
            decided = self.decided.get(event_id, [])
            if decided and not any(each.due for each in decided):
                yield decided[0], record

    def _row(self, record: StoredRecord, value: bytes) -> Judgement:
        model: Any = self.table.model
        try:
            row: Row = read_row(model, value)
        except ValidationError:
            return self._judge_invalid(f"it is not a row of the table {self.table.name}", record)
        if stamp(value) != (row.epoch, row.version) or row.version == 0:
            return self._judge_invalid("it does not start with a row's stamp", record)
        for known in self._versions.get(row.version, []):
            if known.valid and known.row.epoch == row.epoch:
                if self.diff.same(known.row, row):
                    return Judgement(Checked.REPEATED_ROW)
                return Judgement.wrong("another row has the same stamp and other content")
        predecessors = self._predecessors(row)
        judged = [(self._judge(before, row, record), before) for before in predecessors]
        judgement, before = min(judged, key=lambda each: each[0].rank)
        if judgement.why and judgement.expected is None:
            judgement = self._with_probable_row(judgement, before, record)
        stale = self._is_stale(row)
        if judgement.kind is not None and not stale:
            self._supersede_older(before, row, record)
        elif judgement.kind is not None and self._newest is not None and self._covers_decisions_since(row):
            self._require_new_decision(row, self._newest)
        self._remember(judgement, row, record, stale=stale)
        return judgement.as_stale() if stale else judgement

    def _judge(self, before: KnownRow | None, row: Row, record: StoredRecord) -> Judgement:
        version = before.row.version if before else 0
        versions = row.version - version
        offset = before.record.offset if before else -1
        topic = self.table.changelog
        if versions > 1 and self.store.count_compacted(topic, record.partition, offset, record.offset) < versions - 1:
            start = f"version {version}" if before else "nothing"
            return Judgement.wrong(
                f"it has version {row.version} and follows {start}, though no row was compacted there"
            )
        replayer = Replayer(self.table, self.store, self.diff, record)
        return replayer.judge(before.row if before else None, row, versions)

    def _judge_invalid(self, why: str, record: StoredRecord) -> Judgement:
        judgement = self._with_probable_row(Judgement.wrong(why), self._newest, record)
        if judgement.expected is not None:
            version = judgement.expected.version + 1
            row = replace(judgement.expected, version=version)
            self._versions.setdefault(version, []).append(KnownRow(row, record, valid=False))
        return judgement

    def _with_probable_row(self, judgement: Judgement, before: KnownRow | None, record: StoredRecord) -> Judgement:
        """Add the probable original of a replaced row: the decision on the first event that no row has applied.

        So the rows that follow from the original are not reported as well.
        """
        replayer = Replayer(self.table, self.store, self.diff, record)
        for cause in sorted(self._undecided(record), key=lambda each: (each.at, each.offset)):
            decided = replayer.decide(before.row if before else None, cause)
            if isinstance(decided, ReplayedEvent) and decided.decision.row is not None:
                return Judgement.wrong(judgement.why, (*judgement.decided, decided), decided.decision.row)
        return judgement

    def _predecessors(self, row: Row) -> list[KnownRow | None]:
        """Return the possible predecessors of a row: the rows of the previous version, or of the last one before.

        The newest stamp comes first. If a newer owner dropped a decision and makes it again, the new row looks like the
        dropped one, rewritten; but it is that owner's own decision.
        """
        if row.version == 1:
            return [None]
        for versions in (self._versions, self._deleted_versions):
            fitting = [each for each in versions.get(row.version - 1, []) if each.row.epoch <= row.epoch]
            if fitting:
                return _newest_first(fitting)
        older = [version for version in self._versions if version < row.version]
        return _newest_first(self._versions[max(older)]) if older else [None]

    def _is_stale(self, row: Row) -> bool:
        return self._newest is not None and (row.epoch, row.version) < (
            self._newest.row.epoch,
            self._newest.row.version,
        )

    def _supersede_older(self, before: KnownRow | None, row: Row, record: StoredRecord) -> None:
        """Drop the decisions of older owners after a predecessor; the newer owner must decide these events too."""
        version = before.row.version if before else 0
        left = [
            known
            for number, versions in self._versions.items()
            for known in versions
            if number > version and known.valid and known.row.processed and known.row.epoch < row.epoch
        ]
        for known in left:
            event_id = known.row.processed[-1].event_id
            self._require_new_decision(known.row, KnownRow(row, record))
            for each in self.decided.get(event_id, []):
                each.due = each.due and each.record is not known.record

    def _require_new_decision(self, left: Row, newer: KnownRow) -> None:
        """Mark the last event of a dropped row as superseded unless the newer owner's row remembers it."""
        event_id = left.processed[-1].event_id if left.processed else ""
        if event_id and newer.row.outcome_of(event_id) is None:
            self.superseded.setdefault(event_id, newer.record)

    def _covers_decisions_since(self, row: Row) -> bool:
        """Return whether all decisions since a row's last event are known; rows may have been compacted."""
        since = self.complete_since
        return (
            since is not None and bool(row.processed) and (since == BEGINNING or since + SLACK <= row.processed[-1].at)
        )

    def _remember(self, judgement: Judgement, row: Row, record: StoredRecord, *, stale: bool) -> None:
        """Add a row as a possible predecessor."""
        valid = judgement.kind is not None or judgement.unchecked is not None
        if valid:
            self.seen.update(each.event_id for each in row.processed)
        if self.complete_since is None and judgement.kind is not None:
            self.complete_since = BEGINNING
        elif self.complete_since is None or (judgement.unchecked is Unchecked.ROW_COMPACTED and not stale):
            self.complete_since = record.at
        versions = self._versions.setdefault(row.version, [])
        versions.append(KnownRow(row, record, valid))
        if judgement.expected is not None:
            versions.append(KnownRow(replace(judgement.expected, version=row.version), record, valid=False))
        if valid and not stale:
            self._newest = KnownRow(row, record)
            for each in row.processed:
                self.superseded.pop(each.event_id, None)
        for version in sorted(self._versions)[:-RECENT_VERSIONS]:
            del self._versions[version]

    def _deletion(self, record: StoredRecord) -> Judgement:
        header = dict(record.headers).get(TOMBSTONE_HEADER)
        top = self._newest
        if top is not None and header is not None and stamp(header) < (top.row.epoch, top.row.version):
            return Judgement(Checked.STALE_ROW)
        self._newest, self._deleted_versions, self._versions, self.deleted = None, self._versions, {}, True
        if top is None:
            return Judgement(Checked.DELETED_ROW)
        for event in self._undecided(record):
            decided = Replayer(self.table, self.store, self.diff, record).decide(top.row, event)
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


def _newest_first(versions: list[KnownRow]) -> list[KnownRow | None]:
    """Sort rows of one version by epoch, the newest first."""
    return [*sorted(versions, key=lambda each: each.row.epoch, reverse=True)]
