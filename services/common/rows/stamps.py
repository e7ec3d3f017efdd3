"""Which of two records of a row is the newer one, so that no older one undoes it.

A worker that is paused past its session and wakes has lost its partitions without knowing. Until it learns of it, it
decides on, and its records land in the changelog behind those of the new owner. So every row begins with a stamp: the
consumer group's generation in which it was written (`epoch`), then a count of the row's writes (`version`). Whoever
reads the changelog keeps the row with the higher stamp:

- A record with a lower stamp than the stored row is left aside. The same stamp is applied: it is the same row, written
  again for a repeated event, or Kafka's truth about a row that a crash kept from getting there.
- Compaction would keep the stale record, the later one, and drop the newer row. So whoever recovers a partition and
  finds a stale record on top writes the stored row to the changelog again.
- A tombstone has no room for a stamp; its header carries the stamp of the row that it deletes, and it deletes that
  row or an older one. A tombstone without the header, one written by hand, always deletes. A deleted row leaves no
  stamp behind, so a stale record after it brings the old row back: delete only a row that has expired, which means
  nothing any more. What must stay gone, say a removed account, stays as a row that says so.
- RocksDB remembers how far its rows reflect the changelog. A worker that counted on past somebody else's record would
  never read that record. So the remembered offset moves only by one; at a gap it stays, and the next recovery reads on
  from there.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_STAMP: Final = re.compile(rb'\{"epoch":(\d{1,18}),"version":(\d{1,18})[,}]')
TOMBSTONE_HEADER: Final = "row-stamp"
Headers = Sequence[tuple[str, bytes]] | Mapping[str, bytes]


def stamp(value: bytes) -> tuple[int, int]:
    """Return a row's (epoch, version), read from its first bytes; (0, 0) if it has none."""
    found = _STAMP.match(value)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def is_newer(candidate: bytes | None, current: bytes | None, headers: Headers | None = ()) -> bool:
    """Tell whether a changelog record replaces a row.

    Args:
        candidate: The record's value, None for a tombstone.
        current: The row so far, None if there is none.
        headers: The record's headers, needed only for a tombstone.

    Returns:
        False if the record is older than the row; True if it is newer or as new.

    """
    if current is None:
        return True
    if candidate is None:
        deleted = dict(headers or ()).get(TOMBSTONE_HEADER)
        return deleted is None or stamp(deleted) >= stamp(current)
    return stamp(candidate) >= stamp(current)
