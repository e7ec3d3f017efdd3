"""What the rows of a key remember of the events that they have applied, and what a later row has lost of that.

An owner that decided on a row before it has read all that counts would undo what the rows it has not read had applied.
Kafka would deliver those events again, and they would be decided again; in between, decisions would be undone that were
visible to all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lab.chaos.evidence import RowVersion
from services.common.decisions import Row


@dataclass(frozen=True, slots=True)
class Undone:
    """A decision that a row had, and the next row that counts had not.

    Attributes:
        event_id: The event that it was on.
        by: The row that undid it.
        again: The row that had it again; None if it was undone for good.

    """

    event_id: str
    by: RowVersion
    again: RowVersion | None

    @property
    def seconds(self) -> float | None:
        """For how long it was undone, by the clocks of the two rows' writers; None if it was for good."""
        return None if self.again is None else (self.again.record.at - self.by.record.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Memory:
    """What the rows of one key that count remember.

    Attributes:
        followed: How many rows followed another one.
        applied: The events that a row remembers, but for those that were undone for good.
        undone: The decisions that were undone.

    """

    followed: int
    applied: frozenset[str]
    undone: tuple[Undone, ...]


def read_memory(versions: Sequence[RowVersion]) -> Memory:
    """Follow the rows of a key.

    Args:
        versions: All of them, in their order; those that do not count are passed over.

    """
    following = _Following()
    for version in versions:
        if version.newest:
            following.take(version)
    return following.end()


@dataclass(slots=True)
class _Following:
    before: Row | None = None
    followed: int = 0
    applied: set[str] = field(default_factory=set)
    missing: dict[str, RowVersion] = field(default_factory=dict)
    undone: list[Undone] = field(default_factory=list)

    def take(self, version: RowVersion) -> None:
        known = {each.event_id for each in version.row.processed} if version.row is not None else set[str]()
        for event_id in known & self.missing.keys():
            self.undone.append(Undone(event_id, self.missing.pop(event_id), version))
        # A deleted row remembers nothing, and need not.
        if self.before is not None and version.row is not None:
            self.followed += 1
            lost = events_to_remember(self.before, version.row)
            self.missing.update({event_id: version for event_id in lost if event_id not in known})
        self.applied |= known
        self.before = version.row

    def end(self) -> Memory:
        for_good = tuple(Undone(event_id, version, None) for event_id, version in self.missing.items())
        return Memory(self.followed, frozenset(self.applied - self.missing.keys()), (*self.undone, *for_good))


def events_to_remember(before: Row, row: Row) -> list[str]:
    """Return the events of a row that the next row that counts must remember, oldest first.

    It may have forgotten what `decide_once` forgets, of which it keeps the time of the newest event for each topic.

    Args:
        before: A row.
        row: The next row that counts.

    """
    until = {each.topic: each.at for each in row.forgotten}
    return [each.event_id for each in before.processed if each.topic not in until or each.at > until[each.topic]]
