"""Deciding again: whether a row follows from an earlier one by the events that it says were applied in between."""

from dataclasses import dataclass, field
from typing import Any, Final

from operations.audit.bound_table import BoundTable
from operations.audit.diff import Diff, is_repeated
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from services.common.decisions import Decision, ProcessedEvent, Row, UnacceptableError, decide_once

_FIRST: Final = 20
"""So many names of fields are given where rows differ."""


@dataclass(slots=True)
class Decided:
    """An event and what its owner must have decided.

    Attributes:
        event: The event.
        cause: The event's record.
        decision: The decision.
        record: The row's record.
        due: Whether what it led to must have been published, because its row is the one that stayed.

    """

    event: Event[Message]
    cause: StoredRecord
    decision: Decision[Any]
    record: StoredRecord
    due: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a row's record comes to; it is one of three.

    Attributes:
        kind: It follows, and as what.
        unchecked: Why that could not be checked.
        why: Why it does not follow, in plain words.
        decided: The decisions by which it follows, or would.
        expected: The row that would follow, where it is another one.

    """

    kind: Checked | None = None
    unchecked: Unchecked | None = None
    why: str = ""
    decided: tuple[Decided, ...] = field(default=(), repr=False)
    expected: Row | None = field(default=None, repr=False)

    @classmethod
    def wrong(cls, why: str, decided: tuple[Decided, ...] = (), expected: Row | None = None) -> "Judgement":
        """Say that it does not follow."""
        return cls(why=why, decided=decided, expected=expected)

    @property
    def rank(self) -> int:
        """Orders judgements of one record by what it may follow from: it needs one thing only."""
        return 0 if self.kind is not None else 1 if self.unchecked is not None else 2

    def as_stale(self) -> "Judgement":
        """Return it as of an owner that was paused: what it led to need not have been published."""
        for each in self.decided:
            each.due = False
        kind = Checked.STALE_ROW if self.kind is not None else None
        return Judgement(kind, self.unchecked, self.why, self.decided, self.expected)


@dataclass(frozen=True, slots=True)
class Replayer:
    """Decides again for one record of a row."""

    table: BoundTable
    archive: RecordStore
    comparison: Diff
    record: StoredRecord

    def judge(self, before: Row | None, row: Row, versions: int) -> Judgement:
        """Judge a row.

        Args:
            before: The row that it may follow from, or None for none.
            row: The row.
            versions: How many times it was written since; a write that was compacted left its event in ``applied``, as
                long as that reaches.

        """
        if before is not None and is_repeated(before, row):
            return Judgement(Checked.REPEATED_ROW)
        new = _new_events(before, row)
        if not new:
            why = f"no event was applied since the row before it, and yet it differs in {self._named(before, row)}"
            return Judgement.wrong(why)
        if len(new) > versions:
            return Judgement.wrong(f"it says that {len(new)} events were applied in {versions} writes")
        # Writes that are more than the events were of events that it does not remember, or of repeated ones.
        complete = len(new) == versions
        judged = self._replay(before, row, new)
        return judged if judged.kind or judged.unchecked or complete else Judgement(unchecked=Unchecked.ROW_COMPACTED)

    def _replay(self, before: Row | None, row: Row, new: tuple[ProcessedEvent, ...]) -> Judgement:
        current, decided, ended_otherwise = before, list[Decided](), ""
        for applied in new:
            known = self.archive.of_event(self.table.reads, applied.event_id)
            found = [each for each in known if each.key == self.record.key]
            if not found:
                if self.archive.covers(self.table.reads, applied.at, self.record.partition):
                    why = f"it applied the event {applied.event_id} of {applied.at:%F %T}, which no topic holds"
                    return Judgement.wrong(why, tuple(decided))
                return Judgement(unchecked=Unchecked.EVENT_GONE, decided=tuple(decided))
            step = self._step(current, applied, found)
            if isinstance(step, str):
                return Judgement.wrong(step, tuple(decided))
            told, said = step.decision.outcome, applied.outcome
            if told != said and not ended_otherwise:
                ended_otherwise = (
                    f"it says that the event {step.event.id} ended with {said!r}; by the rules, with {told!r}"
                )
            decided.append(step)
            current = step.decision.row
        if current is None:
            return Judgement.wrong(f"the event {new[-1].event_id} deletes the row", tuple(decided))
        if differing := self._named(current, row):
            why = (
                ended_otherwise
                or f"by the rules, the event {new[-1].event_id} makes another row of it: they differ in {differing}"
            )
            return Judgement.wrong(why, tuple(decided), current)
        return Judgement(Checked.ROW, decided=tuple(decided))

    def _step(self, current: Row | None, applied: ProcessedEvent, found: list[StoredRecord]) -> Decided | str:
        """Decide an event; of several that have the same id, the first one that ends as the row says, or the first."""
        steps = [self.decide(current, each) for each in found]
        decided = [step for step in steps if isinstance(step, Decided)]
        fitting = [each for each in decided if each.decision.outcome == applied.outcome]
        return [*fitting, *decided, *steps][0]

    def decide(self, current: Row | None, cause: StoredRecord) -> Decided | str:
        """Decide an event on a row.

        Returns:
            The decision, or why there is none.

        """
        try:
            event = cause.event()
            decision = decide_once(current, event, self.table.decide)
        except (UndecodableError, UnacceptableError) as error:
            return f"it applied an event that must be set aside: {error}"
        except Exception as error:  # noqa: BLE001 - as at an agent's edge: whatever it is, the event is set aside
            return f"it applied an event on which the rules fail: {type(error).__name__}"
        return Decided(event, cause, decision, self.record)

    def _named(self, before: Row | None, row: Row) -> str:
        names = self.comparison.differences(before, row) if before is not None else ["everything"]
        return ", ".join(names[:_FIRST])


def _new_events(before: Row | None, row: Row) -> tuple[ProcessedEvent, ...]:
    """Return the events that a row applied after an earlier one, as far as it remembers them."""
    if before is None or not before.processed:
        return row.processed
    ids = [each.event_id for each in row.processed]
    last = before.processed[-1].event_id
    if last in ids:
        return row.processed[ids.index(last) + 1 :]
    known = {each.event_id for each in before.processed}
    return tuple(each for each in row.processed if each.event_id not in known)
