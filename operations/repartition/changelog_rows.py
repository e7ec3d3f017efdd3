"""The rows of one changelog, as its partitions have them, and which of them must move."""

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
    # One transaction for all: nobody else reads it, and it need not last.
    "BEGIN",
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A row as one partition has it.

    Attributes:
        partition: The partition.
        value: The row, which begins with its stamp.

    """

    partition: int
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a key's row is and where it belongs.

    Attributes:
        key: The key.
        value: Its newest row.
        home: The partition that it belongs to.
        at_home: Whether its newest row is there.
        strays: The other partitions that have a row of the key, newest or not.

    """

    key: bytes
    value: bytes = field(repr=False)
    home: int
    at_home: bool
    strays: tuple[int, ...]


def place(key: bytes, copies: Sequence[Copy], partitions: int) -> Placed:
    """Tell where a key's row is and where it belongs.

    Args:
        key: The key.
        copies: Its row in each partition that has one, at least one.
        partitions: How many partitions the changelog has.

    """
    home = partition_of(key, partitions)
    # Of the same row in two places, an interrupted move, the one at home counts: it is there already.
    newest = max(copies, key=lambda copy: (stamp(copy.value), copy.partition == home))
    strays = tuple(sorted(copy.partition for copy in copies if copy.partition != home))
    return Placed(key, newest.value, home, newest.partition == home, strays)


class Rows:
    """The rows of one changelog. They are kept in a temporary file that vanishes with the process, however it ends."""

    def __init__(self) -> None:
        # An empty name is SQLite's private temporary database: in memory while it is small, then on the disk.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in _PREPARE:
            self._database.execute(statement)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Forget them."""
        self._database.close()

    def apply(self, record: ConsumerRecord) -> None:
        """Take a record of the changelog, in order within its partition; an older one than the row changes nothing."""
        slot = (record.key, record.partition)
        found = self._database.execute("SELECT value FROM copies WHERE key = ? AND partition = ?", slot).fetchone()
        if not is_newer(record.value, found and found[0], record.headers):
            return
        if record.value is None:
            self._database.execute("DELETE FROM copies WHERE key = ? AND partition = ?", slot)
        else:
            self._database.execute("INSERT OR REPLACE INTO copies VALUES (?, ?, ?)", (*slot, record.value))

    def count(self) -> int:
        """Return how many keys have a row."""
        (count,) = self._database.execute("SELECT count(DISTINCT key) FROM copies").fetchone()
        return int(count)

    def placed(self, partitions: int) -> Iterator[Placed]:
        """Tell of each key, in the keys' order, where its row is and where it belongs."""
        found = self._database.execute("SELECT key, partition, value FROM copies ORDER BY key, partition")
        for key, copies in groupby(found, key=lambda copy: bytes(copy[0])):
            yield place(key, [Copy(partition, value) for _key, partition, value in copies], partitions)
