"""Fencing: which records of a changelog partition count, by a term of the partition's own log.

An owner that is out of its consumer group may not know it yet, and writes on. So each record carries a stamp: the term
in which its writer became the owner, and a random id of this owner. One rule tells what counts, for rows, tombstones
and marks alike, read in the order of the log:

- A stamp of a higher term than the one that stands takes its place. An owner begins by writing a mark of 1 + the
  highest term that it has read, and decides nothing before it has read the mark back as the one that stands.
- Of two owners that begin the same term, the first one in the log stands.
- Any other stamp is void: its writer was not the owner any more.
- A record without a stamp was written by hand. A tombstone counts; anything else does not.

Terms belong to the log. A consumer group's generation would not do: it begins at 1 again after the group was deleted or
has expired, after a lost offsets topic, and in a mirrored cluster (docs/adr/0030-one-store.md).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

STAMP_HEADER: Final = "stamp"
_FORM: Final = re.compile(rb"([1-9][0-9]{0,17}) ([A-Za-z0-9_-]{22})")
_MARK: Final = b"\x00mark/"
"""What a mark's key begins with; no row's key begins with a zero."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who wrote a record.

    Attributes:
        term: The term in which the writer became the partition's owner; from 1 on.
        owner: The writer's id: 128 random bits, new whenever an owner begins, base64url, 22 characters.

    """

    term: int
    owner: str

    def header(self) -> tuple[str, bytes]:
        """Return the record header that carries it."""
        return STAMP_HEADER, b"%d %s" % (self.term, self.owner.encode())


@dataclass(frozen=True, slots=True)
class Fence:
    """What stands in a partition, as far as it has been read.

    Attributes:
        term: The highest term so far; 0 before the first stamp.
        owner: The owner of this term.

    """

    term: int = 0
    owner: str = ""

    def judge(self, stamp: Stamp | None, *, tombstone: bool) -> tuple["Fence", bool]:
        """Judge the next record.

        Args:
            stamp: The record's stamp, or None.
            tombstone: True if the record deletes its key.

        Returns:
            What stands after it, and whether it counts.

        """
        if stamp is None:
            return self, tombstone
        if stamp.term > self.term:
            return Fence(stamp.term, stamp.owner), True
        return self, self.stands(stamp)

    def stands(self, stamp: Stamp | None) -> bool:
        """Tell whether records with a stamp count here."""
        return stamp is not None and (stamp.term, stamp.owner) == (self.term, self.owner)

    def next_stamp(self, owner: str) -> Stamp:
        """Return the stamp with which an owner begins."""
        return Stamp(self.term + 1, owner)


def stamp_of(headers: Iterable[tuple[str, bytes | None]]) -> Stamp | None:
    """Return a record's stamp; None if it has none, or none that an owner writes."""
    for name, value in headers:
        if name == STAMP_HEADER:
            found = _FORM.fullmatch(value or b"")
            return Stamp(int(found[1]), found[2].decode()) if found else None
    return None


def mark(stamp: Stamp) -> tuple[bytes, bytes]:
    """Return the key and the value of the mark with which an owner begins; its stamp alone has a meaning."""
    return mark_key(stamp.owner), json.dumps({"term": stamp.term, "owner": stamp.owner}).encode()


def mark_key(owner: str) -> bytes:
    """Return the key of an owner's mark: a key for each, so that compaction keeps the mark that stands."""
    return _MARK + owner.encode()


def is_mark(key: bytes) -> bool:
    """Tell whether a record is a mark, or removes one."""
    return key.startswith(_MARK)
