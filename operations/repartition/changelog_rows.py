"""The rows of one changelog by partition, and which of them must move."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from types import TracebackType
from typing import Final, Self

from aiokafka import ConsumerRecord

from services.common.kafka.partitions import partition_of
from services.common.rows.stamps import is_newer, stamp

_PREPARE: Final = (
    "PRAGMA journal_mode = OFF",
    "PRAGMA cache_size = -65536",  # 64 MiB
    "CREATE TABLE copies (key BLOB, partition INTEGER, value BLOB, PRIMARY KEY (key, partition))",
    # One transaction for everything: the database is private and temporary.
    "BEGIN",
)


@dataclass(frozen=True, slots=True)
class RowCopy:
    """A key's row in one partition.

    Attributes:
        partition: The partition.
        value: The row, which starts with its stamp.

    """

    partition: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RowPlacement:
    """The actual and the target partition of a key's row.

    Attributes:
        key: The key.
        value: The key's newest row.
        target: The key's partition.
        in_target: Whether the newest row is in the target.
        leftovers: The other partitions with a row of the key, sorted.

    """

    key: bytes
    value: bytes = field(repr=False)
    target: int
    in_target: bool
    leftovers: tuple[int, ...]


def locate(key: bytes, copies: Sequence[RowCopy], partitions: int) -> RowPlacement:
    """Return the placement of a key's row.

    Args:
        key: The key.
        copies: The key's row in each partition that has one; at least one.
        partitions: The changelog's number of partitions.

    """
    target = partition_of(key, partitions)
    # After an interrupted move, the same row is in two partitions; the one in the target counts.
    newest = max(copies, key=lambda copy: (stamp(copy.value), copy.partition == target))
    leftovers = tuple(sorted(copy.partition for copy in copies if copy.partition != target))
    return RowPlacement(key, newest.value, target, newest.partition == target, leftovers)


class ChangelogRows:
    """The rows of one changelog, in a temporary file that disappears with the process, even after a crash."""

    def __init__(self) -> None:
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

    def apply(self, record: ConsumerRecord) -> None:
        """Apply a changelog record, in order within its partition; a stale record changes nothing."""
        slot = (record.key, record.partition)
        found = self._database.execute("SELECT value FROM copies WHERE key = ? AND partition = ?", slot).fetchone()
        if not is_newer(record.value, found and found[0], record.headers):
            return
        if record.value is None:
            self._database.execute("DELETE FROM copies WHERE key = ? AND partition = ?", slot)
        else:
            self._database.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?)", (*slot, record.value))

    def count(self) -> int:
        """Return the number of keys with a row."""
        (count,) = self._database.execute("SELECT count(DISTINCT key) FROM copies").fetchone()
        return int(count)

    def placements(self, partitions: int) -> Iterator[RowPlacement]:
        """Yield the placement of each key's row, in the order of the keys."""
        found = self._database.execute("SELECT key, partition, value FROM copies ORDER BY key, partition")
        for key, copies in groupby(found, key=lambda copy: bytes(copy[0])):
            yield locate(key, [RowCopy(partition, value) for _key, partition, value in copies], partitions)
