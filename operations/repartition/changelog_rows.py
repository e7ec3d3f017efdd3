"""The rows of one changelog by partition, and which of them must move."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import Final, Self

from services.common.kafka.log import LogRecord
from services.common.kafka.partitions import partition_of
from services.common.rows.changelog import PartitionState, VoidRecord, lost_to_compaction, read_records

_PREPARE: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA cache_size = -65536",  # 64 MiB
    "CREATE TABLE copies (key BLOB, partition INTEGER, value BLOB, counts INTEGER, PRIMARY KEY (key, partition))",
    "CREATE TABLE void (key BLOB, partition INTEGER, value BLOB, at INTEGER, PRIMARY KEY (key, partition))",
    # One transaction for everything: the database is private and temporary.
    "BEGIN",
)


@dataclass(frozen=True, slots=True)
class RowCopy:
    """A key's row in one partition.

    Attributes:
        partition: The partition.
        value: The row.
        counts: False if it counts for want of another row alone: its record is void.

    """

    partition: int
    value: bytes = field(repr=False)
    counts: bool = True


@dataclass(frozen=True, slots=True)
class RowPlacement:
    """The actual and the target partition of a key's row.

    Attributes:
        key: The key.
        value: The key's row.
        target: The key's partition.
        in_target: Whether the target has this row.
        leftovers: The other partitions with a row of the key, sorted.

    """

    key: bytes
    value: bytes = field(repr=False)
    target: int
    in_target: bool
    leftovers: tuple[int, ...]


def locate(key: bytes, copies: Sequence[RowCopy], partitions: int, served: int) -> RowPlacement:
    """Return the placement of a key's row.

    Terms of different partitions cannot be compared. Of several copies, the one counts that the services read: while a
    move is unfinished they are stopped, and the other copies are equal to it.

    Args:
        key: The key.
        copies: The key's row in each partition that has one; at least one.
        partitions: The changelog's number of partitions.
        served: The number of partitions with which the services ran last.

    """
    target, read = partition_of(key, partitions), partition_of(key, served)
    row = max(copies, key=lambda copy: (copy.counts, copy.partition == read, copy.partition == target)).value
    in_target = RowCopy(target, row) in copies
    leftovers = tuple(sorted(copy.partition for copy in copies if copy.partition != target))
    return RowPlacement(key, row, target, in_target, leftovers)


class ChangelogRows:
    """The rows of one changelog, in a temporary file that disappears with the process, even after a crash.

    Attributes:
        states: How far each partition has been read.

    """

    def __init__(self, partitions: int) -> None:
        """Begin with nothing.

        Args:
            partitions: The changelog's number of partitions.

        """
        self.states = {partition: PartitionState() for partition in range(partitions)}
        # An empty name means a private temporary database of SQLite, which spills to disk when it grows.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in _PREPARE:
            self._database.execute(statement)

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Delete the rows."""
        self._database.close()

    def apply(self, partition: int, records: Sequence[LogRecord]) -> None:
        """Apply the next records of one partition, as each reader of the changelog does."""
        changes = read_records(self.states[partition], partition, None, records)
        self.states[partition] = changes.state
        for key, row in changes.rows.items():
            self._set("copies", key, partition, None if row is None else (row, True))
        for key, void in changes.void.items():
            self._set("void", key, partition, None if void is None else (void.value, void.at))

    def restore_lost(self, at: int, compaction_lag: int) -> None:
        """Let the void rows count that compaction has left nothing else beside, as each copy of the rows does.

        Args:
            at: When reading reached the end, Unix time in milliseconds.
            compaction_lag: The topic's ``min.compaction.lag.ms``.

        """
        found = self._database.execute(
            "SELECT partition, key, at, value FROM void WHERE key NOT IN (SELECT key FROM copies) ORDER BY partition"
        ).fetchall()
        for partition, records in groupby(found, key=lambda record: record[0]):
            void = {bytes(key): VoidRecord(taken_at, value) for _partition, key, taken_at, value in records}
            for key, record in lost_to_compaction(void, lambda _key: False, at, compaction_lag).items():
                self._set("copies", key, partition, (record.value, False))

    def count(self) -> int:
        """Return the number of rows and their parts."""
        (count,) = self._database.execute("SELECT count(DISTINCT key) FROM copies").fetchone()
        return int(count)

    def placements(self, partitions: int, served: int) -> Iterator[RowPlacement]:
        """Yield the placement of each key's row, in the order of the keys; see `locate`."""
        found = self._database.execute("SELECT key, partition, value, counts FROM copies ORDER BY key, partition")
        for key, copies in groupby(found, key=lambda copy: bytes(copy[0])):
            rows = [RowCopy(partition, value, bool(counts)) for _key, partition, value, counts in copies]
            yield locate(key, rows, partitions, served)

    def _set(self, table: str, key: bytes, partition: int, columns: tuple[object, object] | None) -> None:
        """Put a row of a database table, or remove it."""
        if columns is None:
            self._database.execute(f"DELETE FROM {table} WHERE key = ? AND partition = ?", (key, partition))  # noqa: S608
        else:
            self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", (key, partition, *columns))  # noqa: S608
