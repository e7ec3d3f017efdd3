"""The rows of one key, one after the other: each must follow from the one before it and an event."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from operations.audit.bound_table import BoundTable
from operations.audit.deciding import Decided, Judgement, Replayer
from operations.audit.diff import Diff
from operations.audit.record_store import MARGIN, SLACK, RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from operations.audit.time_range import BEGINNING
from services.common.decisions import Row
from services.common.rows.codec import read_row
from services.common.rows.stamps import TOMBSTONE_HEADER, stamp

KEPT_VERSIONS: Final = 16
"""So many versions of a row are kept at hand: an owner that was paused may have written on from one of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a next row may follow from: a row that was read, sound or not, or one that should have been there."""

    row: Row
    record: StoredRecord
    sound: bool = True


@dataclass(slots=True)
class RowHistory:
    """The rows of a key, as far as they were read.

    Attributes:
        decided: What was decided on the key, by the event's id; an event is in it twice where two owners decided it.
        seen: The ids of events that were applied, whether or not it could be checked how.
        orphans: The events that a newer owner leaves aside and has not decided yet, with the record that does so.
        whole_since: Since when every decision on the key was seen.
        first_at: Time of the first row.
        deleted: True once the row was deleted.

    """

    table: BoundTable
    archive: RecordStore
    comparison: Diff
    decided: dict[str, list[Decided]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    orphans: dict[str, StoredRecord] = field(default_factory=dict)
    whole_since: datetime | None = None
    first_at: datetime | None = None
    deleted: bool = False
    _top: Known | None = None
    _kept: dict[int, list[Known]] = field(default_factory=dict)
    _earlier: dict[int, list[Known]] = field(default_factory=dict)

    def take(self, record: StoredRecord) -> Judgement:
        """Judge the next record of the key."""
        self.first_at = self.first_at or record.at
        judgement = self._deletion(record) if record.value is None else self._row(record, record.value)
        for each in judgement.decided:
            each.due = each.due and not judgement.why
            self.seen.add(each.event.id)
            self.decided.setdefault(each.event.id, []).append(each)
        return judgement

    def lost(self) -> Iterator[tuple[Decided, StoredRecord]]:
        """Give what was decided, left aside by a newer owner and not decided again, and the record that does so."""
        for event_id, record in self.orphans.items():
            decided = self.decided.get(event_id, [])
            if decided and not any(each.due for each in decided):
                yield decided[0], record

    def _row(self, record: StoredRecord, value: bytes) -> Judgement:
        model: Any = self.table.model
        try:
            row: Row = read_row(model, value)
        except ValidationError:
            return self._garbage(f"it is no row of the table {self.table.name}", record)
        if stamp(value) != (row.epoch, row.version) or row.version == 0:
            return self._garbage("it does not begin with a row's stamp", record)
        for known in self._kept.get(row.version, []):
            if known.sound and known.row.epoch == row.epoch:
                if self.comparison.same(known.row, row):
                    return Judgement(Checked.REPEATED_ROW)
                return Judgement.wrong("another row has the same stamp and says something else")
        befores = self._befores(row)
        judged = [(self._judge(before, row, record), before) for before in befores]
        judgement, before = min(judged, key=lambda each: each[0].rank)
        if judgement.why and judgement.expected is None:
            judgement = self._repaired(judgement, before, record)
        stale = self._is_stale(row)
        if judgement.kind is not None and not stale:
            self._leave_aside(before, row, record)
        elif judgement.kind is not None and self._top is not None and self._saw_all_since(row):
            self._expect_again(row, self._top)
        self._note(judgement, row, record, stale=stale)
        return judgement.as_stale() if stale else judgement

    def _judge(self, before: Known | None, row: Row, record: StoredRecord) -> Judgement:
        version = before.row.version if before else 0
        versions = row.version - version
        offset = before.record.offset if before else -1
        topic = self.table.changelog
        if versions > 1 and self.archive.missing(topic, record.partition, offset, record.offset) < versions - 1:
            start = f"version {version}" if before else "nothing"
            return Judgement.wrong(
                f"it has version {row.version} and follows {start}, though no row was compacted there"
            )
        replayer = Replayer(self.table, self.archive, self.comparison, record)
        return replayer.judge(before.row if before else None, row, versions)

    def _garbage(self, why: str, record: StoredRecord) -> Judgement:
        judgement = self._repaired(Judgement.wrong(why), self._top, record)
        if judgement.expected is not None:
            version = judgement.expected.version + 1
            row = replace(judgement.expected, version=version)
            self._kept.setdefault(version, []).append(Known(row, record, sound=False))
        return judgement

    def _repaired(self, judgement: Judgement, before: Known | None, record: StoredRecord) -> Judgement:
        """Add the row that was probably there before somebody replaced it: of the first event that no row has applied.

        So what follows from that one is not named as well.
        """
        replayer = Replayer(self.table, self.archive, self.comparison, record)
        for cause in sorted(self._undecided(record), key=lambda each: (each.at, each.offset)):
            decided = replayer.decide(before.row if before else None, cause)
            if isinstance(decided, Decided) and decided.decision.row is not None:
                return Judgement.wrong(judgement.why, (*judgement.decided, decided), decided.decision.row)
        return judgement

    def _befores(self, row: Row) -> list[Known | None]:
        """Return what a row may follow from: the rows of the version before, or else the last one before that.

        The newest stamp comes first. Where a newer owner left a decision aside and makes it again, the new row looks
        like the one that was left aside, written once more; but it is that owner's own decision.
        """
        if row.version == 1:
            return [None]
        for kept in (self._kept, self._earlier):
            fitting = [each for each in kept.get(row.version - 1, []) if each.row.epoch <= row.epoch]
            if fitting:
                return _newest_first(fitting)
        older = [version for version in self._kept if version < row.version]
        return _newest_first(self._kept[max(older)]) if older else [None]

    def _is_stale(self, row: Row) -> bool:
        return self._top is not None and (row.epoch, row.version) < (self._top.row.epoch, self._top.row.version)

    def _leave_aside(self, before: Known | None, row: Row, record: StoredRecord) -> None:
        """Leave the rows of older owners aside: the newer one has to decide their events as well."""
        version = before.row.version if before else 0
        left = [
            known
            for number, kept in self._kept.items()
            for known in kept
            if number > version and known.sound and known.row.processed and known.row.epoch < row.epoch
        ]
        for known in left:
            event_id = known.row.processed[-1].event_id
            self._expect_again(known.row, Known(row, record))
            for each in self.decided.get(event_id, []):
                each.due = each.due and each.record is not known.record

    def _expect_again(self, left: Row, newer: Known) -> None:
        """Note the event of a row that is left aside, if the newer owner's row does not know of it."""
        event_id = left.processed[-1].event_id if left.processed else ""
        if event_id and newer.row.outcome_of(event_id) is None:
            self.orphans.setdefault(event_id, newer.record)

    def _saw_all_since(self, row: Row) -> bool:
        """Tell whether every decision since a row's last event was seen: the row of one may have been compacted."""
        since = self.whole_since
        return (
            since is not None and bool(row.processed) and (since == BEGINNING or since + SLACK <= row.processed[-1].at)
        )

    def _note(self, judgement: Judgement, row: Row, record: StoredRecord, *, stale: bool) -> None:
        """Keep a row for those that follow."""
        sound = judgement.kind is not None or judgement.unchecked is not None
        if sound:
            self.seen.update(each.event_id for each in row.processed)
        if self.whole_since is None and judgement.kind is not None:
            self.whole_since = BEGINNING
        elif self.whole_since is None or (judgement.unchecked is Unchecked.ROW_COMPACTED and not stale):
            self.whole_since = record.at
        kept = self._kept.setdefault(row.version, [])
        kept.append(Known(row, record, sound))
        if judgement.expected is not None:
            kept.append(Known(replace(judgement.expected, version=row.version), record, sound=False))
        if sound and not stale:
            self._top = Known(row, record)
            for each in row.processed:
                self.orphans.pop(each.event_id, None)
        for version in sorted(self._kept)[:-KEPT_VERSIONS]:
            del self._kept[version]

    def _deletion(self, record: StoredRecord) -> Judgement:
        header = dict(record.headers).get(TOMBSTONE_HEADER)
        top = self._top
        if top is not None and header is not None and stamp(header) < (top.row.epoch, top.row.version):
            return Judgement(Checked.STALE_ROW)
        self._top, self._earlier, self._kept, self.deleted = None, self._kept, {}, True
        if top is None:
            return Judgement(Checked.DELETED_ROW)
        for event in self._undecided(record):
            decided = Replayer(self.table, self.archive, self.comparison, record).decide(top.row, event)
            if isinstance(decided, Decided) and decided.decision.row is None:
                return Judgement(Checked.DELETED_ROW, decided=(decided,))
        if self.archive.covers(self.table.reads, record.at - MARGIN, record.partition):
            return Judgement.wrong("the row was deleted, and no event asks for that")
        return Judgement(unchecked=Unchecked.EVENT_GONE)

    def _undecided(self, record: StoredRecord) -> Iterator[StoredRecord]:
        """Give the events of the key that no row has applied."""
        for each in self.archive.of_key(self.table.reads, record.key or b""):
            if dict(each.headers).get("ce_id", b"").decode(errors="replace") not in self.seen:
                yield each


def _newest_first(kept: list[Known]) -> list[Known | None]:
    """Return rows of one version by the epoch of their owner, the newest first."""
    return [*sorted(kept, key=lambda each: each.row.epoch, reverse=True)]
