"""Fencing of stale owners: a stamp in each row tells which of two changelog records is newer.

A worker that is paused past its session timeout has lost its partitions when it resumes. Until it learns so, it keeps
deciding, and its records follow those of the new owner in the changelog. So every row starts with a stamp: the consumer
group's generation at the write (`epoch`), then the number of the row's writes (`version`). Every reader of the
changelog keeps the row with the higher stamp:

- A record with a lower stamp than the stored row is stale and ignored. A record with the same stamp is applied: it is
  the same row, rewritten for a repeated event, or the row that Kafka has after a crash.
- Compaction would keep the stale record, which is the later one, and drop the newer row. So an owner that finds a stale
  record last during recovery writes the stored row to the changelog again.
- A tombstone has no value for a stamp; its header carries the stamp of the row that it deletes, and it deletes that row
  or an older one. A tombstone without the header, written by hand, always deletes. A deleted row leaves no stamp, so a
  later stale record restores the old row. Therefore only expired rows are deleted, which have no meaning any more. A
  removed account must not return, so its row stays and is marked as removed.
- RocksDB stores the changelog offset up to which its rows are complete. A worker that advanced it past another worker's
  record would never read that record. So the offset advances only by one; at a gap it stays, and the next recovery
  continues there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_STAMP: Final = re.compile(rb'\{"epoch":(\d{1,18}),"version":(\d{1,18})[,}]')
TOMBSTONE_HEADER: Final = "row-stamp"
Headers = Sequence[tuple[str, bytes]] | Mapping[str, bytes]


def stamp(value: bytes) -> tuple[int, int]:
    """Return a row's (epoch, version), parsed from its first bytes; (0, 0) if the stamp is missing."""
    found = _STAMP.match(value)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_newer(candidate: bytes | None, current: bytes | None, headers: Headers | None = ()) -> bool:
    """Return whether a changelog record replaces a row.

    Args:
        candidate: The record's value; None for a tombstone.
        current: The stored row; None if there is none.
        headers: The record's headers; used only for a tombstone.

    Returns:
        False if the record is older than the row; True if it is newer or has the same stamp.

    """
    if current is None:
        return True
    if candidate is None:
        deleted = dict(headers or ()).get(TOMBSTONE_HEADER)
        return deleted is None or stamp(deleted) >= stamp(current)
    return stamp(candidate) >= stamp(current)
