"""What the records of one changelog partition amount to: pure, and the same for every reader."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from services.common.kafka.log import LogRecord
from services.common.kafka.partitions import is_misrouted
from services.common.rows.fence import Fence, Stamp, is_mark, stamp_of


@dataclass(frozen=True, slots=True)
class PartitionState:
    """How far a copy of a partition is.

    Attributes:
        offset: The offset of the first record that it does not reflect.
        fence: What stands there.
        last_at: When Kafka took the last record that it reflects, Unix time in milliseconds.

    """

    offset: int = 0
    fence: Fence = field(default_factory=Fence)
    last_at: int = 0


@dataclass(frozen=True, slots=True)
class VoidRecord:
    """A record that does not count, and that compaction may keep instead of the one that does.

    Attributes:
        at: When Kafka took it, Unix time in milliseconds.
        value: Its row.

    """

    at: int
    value: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """A stamped record as this reader judged it; its writer may wait for that.

    Attributes:
        key: Its key.
        value: Its value.
        stamp: Who wrote it.
        counts: True if it counts.

    """

    key: bytes
    value: bytes | None = field(repr=False)
    stamp: Stamp
    counts: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What some records change in a copy of their partition.

    Attributes:
        state: How far the copy is then.
        rows: The rows that change, by key; None deletes.
        void: The keys with a void record on top; None where a record that counts has come since.
        judged: The stamped records, marks included, in order.
        marks: When Kafka took the mark of each key, Unix time in milliseconds; None where it was removed.

    """

    state: PartitionState
    rows: Mapping[bytes, bytes | None]
    void: Mapping[bytes, VoidRecord | None]
    judged: Sequence[Judged] = ()
    marks: Mapping[bytes, int | None] = field(default_factory=dict)


def read_records(
    state: PartitionState, partition: int, partitions: int | None, records: Sequence[LogRecord]
) -> Changes:
    """Read the next records of a partition.

    What a repartition left behind in another partition than its key's means nothing (docs/adr/0024).

    Args:
        state: How far the copy is.
        partition: The partition.
        partitions: How many the topic has; None to read what a repartition left behind as well.
        records: The records, in order; not empty.

    """
    fence = state.fence
    rows: dict[bytes, bytes | None] = {}
    void: dict[bytes, VoidRecord | None] = {}
    marks: dict[bytes, int | None] = {}
    judged: list[Judged] = []
    for record in records:
        key, value, stamp = record.key, record.value, stamp_of(record.headers)
        if key is None:
            continue
        if is_mark(key):
            marks[key] = None if value is None else record.timestamp
        elif not is_row_key(key) or (partitions is not None and is_misrouted(key, partition, partitions)):
            continue
        fence, counts = fence.judge(stamp, tombstone=value is None)
        if stamp is not None:
            judged.append(Judged(key, value, stamp, counts))
        if is_mark(key):
            continue
        if counts:
            rows[key], void[key] = value, None
        else:
            void[key] = VoidRecord(record.timestamp, value)
    last = records[-1]
    return Changes(PartitionState(last.offset + 1, fence, last.timestamp), rows, void, judged, marks)


def lost_to_compaction(
    void: Mapping[bytes, VoidRecord], has_row: Callable[[bytes], bool], at: int, compaction_lag: int
) -> Mapping[bytes, VoidRecord]:
    """Return the void records of a copy read from the beginning that must count, for there is nothing else.

    Compaction keeps a key's last record, void or not. While that record is younger than the compaction lag, whatever
    counted before it is still there. Once it is older, a missing row may have been removed; then a void row is nearer
    to the truth than none.

    Args:
        void: The keys on top of which a void record lies.
        has_row: Tells whether a key has a row that counts.
        at: When reading reached the end, Unix time in milliseconds.
        compaction_lag: The topic's ``min.compaction.lag.ms``.

    """
    return {
        key: record
        for key, record in void.items()
        if record.value is not None and not has_row(key) and record.at < at - compaction_lag
    }


def adopt(state: PartitionState, lost: Mapping[bytes, VoidRecord]) -> Changes:
    """Return the changes that let void rows count; their keys stay noted, so that the owner writes them again."""
    return Changes(state, {key: record.value for key, record in lost.items()}, dict(lost))


def is_row_key(key: bytes) -> bool:
    """Tell whether a record's key can be a row's: text, and none of those that a copy or an owner has for itself."""
    try:
        return bool(key) and not key.decode().startswith("\0")
    except UnicodeDecodeError:
        return False
