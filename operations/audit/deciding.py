"""Replay of decisions: whether a row follows from an earlier row by the events that it lists as processed."""

from dataclasses import dataclass, field
from typing import Any, Final

from operations.audit.bound_table import BoundTable
from operations.audit.diff import Diff
from operations.audit.record_store import RecordStore, StoredRecord
from operations.audit.report import Checked, Unchecked
from schemas.base import Message
from schemas.codec import Event, UndecodableError
from services.common.decisions import Decision, ProcessedEvent, Row, UnacceptableError, decide_once

_MAX_FIELDS: Final = 20
"""Maximum number of differing fields that a finding names."""


@dataclass(slots=True)
class ReplayedEvent:
    """An event and its replayed decision.

    Attributes:
        event: The event.
        cause: The event's record.
        decision: The decision.
        record: The row's record.
        due: Whether its messages must have been published, because its row follows from it.

    """

    event: Event[Message]
    cause: StoredRecord
    decision: Decision[Any]
    record: StoredRecord
    due: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """The result for one record of a row: it follows, it cannot be checked, or it does not follow.

    Attributes:
        kind: How it follows; None otherwise.
        unchecked: Why it cannot be checked; None otherwise.
        why: Why it does not follow, in words; empty otherwise.
        decided: The replayed decisions.
        expected: The row that would follow, if it differs.

    """

    kind: Checked | None = None
    unchecked: Unchecked | None = None
    why: str = ""
    decided: tuple[ReplayedEvent, ...] = field(default=(), repr=False)
    expected: Row | None = field(default=None, repr=False)

    @classmethod
    def wrong(cls, why: str, decided: tuple[ReplayedEvent, ...] = (), expected: Row | None = None) -> "Judgement":
        """Return the judgement of a record that does not follow."""
        return cls(why=why, decided=decided, expected=expected)

    @property
    def rank(self) -> int:
        """The order of judgements of one record against several predecessors, the best first."""
        return 0 if self.kind is not None else 1 if self.unchecked is not None else 2


@dataclass(frozen=True, slots=True)
class Replayer:
    """Replays the decisions behind one record of a row."""

    table: BoundTable
    store: RecordStore
    diff: Diff
    record: StoredRecord

    def judge(self, before: Row | None, row: Row, versions: int) -> Judgement:
        """Judge a row.

        Args:
            before: The possible predecessor; None if there is none.
            row: The row.
            versions: The number of decisions since then. One whose row was compacted left its event in ``processed``,
                as long as the row remembers it.

        """
        new = _new_events(before, row)
        if not new:
            differing = self._field_names(before, row) or "its version"
            return Judgement.wrong(f"no event was applied since the previous row, but it differs in {differing}")
        if len(new) > versions:
            return Judgement.wrong(f"it lists {len(new)} events for {versions} decisions")
        # Further decisions were on events that the row does not remember any more.
        complete = len(new) == versions
        judged = self._replay(before, row, new)
        return judged if judged.kind or judged.unchecked or complete else Judgement(unchecked=Unchecked.ROW_COMPACTED)

    def _replay(self, before: Row | None, row: Row, new: tuple[ProcessedEvent, ...]) -> Judgement:
        current, decided, wrong_outcome = before, list[ReplayedEvent](), ""
        for applied in new:
            records = self.store.of_event(self.table.reads, applied.event_id)
            causes = [each for each in records if each.key == self.record.key]
            if not causes:
                if self.store.covers(self.table.reads, applied.at, self.record.partition):
                    why = f"it applied the event {applied.event_id} of {applied.at:%F %T}, which is in no topic"
                    return Judgement.wrong(why, tuple(decided))
                return Judgement(unchecked=Unchecked.EVENT_GONE, decided=tuple(decided))
            step = self._step(current, applied, causes)
            if isinstance(step, str):
                return Judgement.wrong(step, tuple(decided))
            replayed, recorded = step.decision.outcome, applied.outcome
            if replayed != recorded and not wrong_outcome:
                wrong_outcome = (
                    f"its outcome of the event {step.event.id} is {recorded!r}; by the rules it is {replayed!r}"
                )
            decided.append(step)
            current = None if step.decision.row is None else step.decision.row.settled()
        if current is None:
            return Judgement.wrong(f"the event {new[-1].event_id} deletes the row", tuple(decided))
        if fields := self._field_names(current, row):
            why = wrong_outcome or f"by the rules, the event {new[-1].event_id} leads to a row that differs in {fields}"
            return Judgement.wrong(why, tuple(decided), current)
        return Judgement(Checked.ROW, decided=tuple(decided))

    def _step(self, current: Row | None, applied: ProcessedEvent, causes: list[StoredRecord]) -> ReplayedEvent | str:
        """Decide an event; of several records with its id, prefer the first one with the recorded outcome."""
        steps = [self.decide(current, each) for each in causes]
        decided = [step for step in steps if isinstance(step, ReplayedEvent)]
        matching = [each for each in decided if each.decision.outcome == applied.outcome]
        return [*matching, *decided, *steps][0]

    def decide(self, current: Row | None, cause: StoredRecord) -> ReplayedEvent | str:
        """Decide an event on a row.

        Returns:
            The decision, or why there is none.

        """
        try:
            event = cause.event()
            decision = decide_once(current, event, self.table.decide)
        except (UndecodableError, UnacceptableError) as error:
            return f"it applied an event that must become a dead letter: {error}"
        except Exception as error:  # noqa: BLE001 - as in the record guard: after any error, the event is a dead letter
            return f"it applied an event on which the decider fails: {type(error).__name__}"
        return ReplayedEvent(event, cause, decision, self.record)

    def _field_names(self, before: Row | None, row: Row) -> str:
        names = self.diff.differences(before, row) if before is not None else ["everything"]
        return ", ".join(names[:_MAX_FIELDS])


def _new_events(before: Row | None, row: Row) -> tuple[ProcessedEvent, ...]:
    """Return the events that a row applied after an earlier row, as far as it remembers them."""
    if before is None or not before.processed:
        return row.processed
    ids = [each.event_id for each in row.processed]
    last = before.processed[-1].event_id
    if last in ids:
        return row.processed[ids.index(last) + 1 :]
    known = {each.event_id for each in before.processed}
    return tuple(each for each in row.processed if each.event_id not in known)
