"""What the rows of a key remember of the events that they have applied, and what a later row has lost of that.

An owner that decided on a row before it has read all that counts would undo what the rows that it has not read had
applied, and people would see it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from lab.chaos.evidence import RowVersion
from services.common.decisions import Row


@dataclass(frozen=True, slots=True)
class Memory:
    """What the rows of one key that count remember.

    Attributes:
        followed: How many rows followed another one.
        applied: The events that a row remembers.
        undone: What a row lacks of what the one before it had, in words.
        rows: The rows, in their order; None where the row was deleted.

    """

    followed: int
    applied: frozenset[str]
    undone: tuple[str, ...]
    rows: tuple[Row | None, ...] = field(repr=False)

    def is_outdated(self, topic: str, at: datetime, offset: int, offsets: Mapping[str, int]) -> bool:
        """Return whether a row had forgotten newer events of a topic when its owner came to one that no row remembers.

        Args:
            topic: The event's topic.
            at: Its time.
            offset: Its offset in the topic.
            offsets: The offsets of the topic's events by id.

        """
        standing: Row | None = None
        for row in self.rows:
            later = (each.event_id for each in (row.processed if row is not None else ()) if each.topic == topic)
            if any(offsets.get(event_id, -1) > offset for event_id in later):
                break
            standing = row
        return standing is not None and any(each.topic == topic and at <= each.at for each in standing.forgotten)


def read_memory(versions: Sequence[RowVersion]) -> Memory:
    """Follow the rows of a key.

    Args:
        versions: All of them, in their order; those that do not count are passed over.

    """
    counting = [each for each in versions if each.counts]
    pairs = [
        (before.row, version, version.row)
        for before, version in pairwise(counting)
        # A deleted row remembers nothing, and need not.
        if before.row is not None and version.row is not None
    ]
    applied = (each.event_id for version in counting if version.row is not None for each in version.row.processed)
    undone = (f"{by.record.place} undid {what}" for before, by, row in pairs for what in _undone(before, row))
    return Memory(len(pairs), frozenset(applied), tuple(undone), tuple(each.row for each in counting))


def _undone(before: Row, row: Row) -> Iterator[str]:
    """Yield what a row lacks of what the row before it that counts had.

    It may have forgotten what `decide_once` forgets: events, of which it keeps the time of the newest one for each
    topic, and the messages of an event after which its topic went on.
    """
    if row == before:
        return  # an owner wrote it again over a void one
    forgotten = {each.topic: each.at for each in row.forgotten}
    remembered = {each.event_id for each in row.processed}
    for event in before.processed:
        if event.event_id not in remembered and (event.topic not in forgotten or event.at > forgotten[event.topic]):
            yield f"the decision on {event.event_id}"
    for until in before.forgotten:
        if until.topic not in forgotten or forgotten[until.topic] < until.at:
            yield f"up to when events of {until.topic} are forgotten"
    known = {each.event_id for each in before.processed}
    gone_on = {each.topic for each in row.processed if each.event_id not in known}
    for output in before.last_outputs:
        if output.topic not in gone_on and output not in row.last_outputs:
            yield f"what {output.event_id} led to"
    if row.version <= before.version:
        yield f"version {before.version}"
