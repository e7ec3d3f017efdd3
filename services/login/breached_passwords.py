"""A filter of known breached passwords (NIST SP 800-63B-4 section 3.1.1.2), which needs no network.

``countersign passwords build`` makes it from a public list: lines of SHA-1 hashes, as Have I Been Pwned publishes them,
or of passwords. The file holds the first 48 bits of each password's SHA-1, sorted: 16 bits name a bucket, the other 32
stand in it. So one good password in 300,000 is taken for one of a thousand million breached ones.

The file: a magic number; 65536 buckets' ends (8 bytes each, counted in entries) and CRC-32 (4 bytes each), big-endian;
SHA-256 of all that; the entries, 4 bytes each. A look-up checks its bucket alone.
"""

import hashlib
import mmap
import re
import struct
import tempfile
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Self

MAGIC: Final = b"countersign breached passwords 1"
BUCKETS: Final = 1 << 16
ENTRY_BYTES: Final = 4
UNREADABLE: Final = "cannot be read"
NO_FILTER: Final = "is no filter of breached passwords"
DAMAGED: Final = "is damaged"
LONGEST_LINE: Final = 4096
_PARTS: Final = 256
_INDEX: Final = struct.Struct(f">{BUCKETS}Q{BUCKETS}I")
_HEAD_BYTES: Final = len(MAGIC) + _INDEX.size + hashlib.sha256().digest_size
_SHA1: Final = re.compile(rb"([0-9A-Fa-f]{40})(?::(\d+))?")
_PROGRESS_LINES: Final = 100_000


class FilterError(ValueError):
    """A filter or a list that cannot be used. The text says why."""

    @classmethod
    def of(cls, path: Path, what: str) -> Self:
        """Return the error of a filter that must be made anew."""
        return cls(f"{path} {what}; make it anew with: countersign passwords build")


class BreachedPasswords:
    """A filter, mapped into memory."""

    def __init__(self, path: Path) -> None:
        """Open a filter.

        Raises:
            FilterError: If it cannot be read, or its head is damaged.

        """
        self._path: Final = path
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise FilterError.of(self._path, UNREADABLE) from error
        head = self._map[:_HEAD_BYTES]
        if len(head) < _HEAD_BYTES or not head.startswith(MAGIC):
            raise FilterError.of(self._path, NO_FILTER)
        index = head[len(MAGIC) : len(MAGIC) + _INDEX.size]
        if hashlib.sha256(MAGIC + index).digest() != head[-hashlib.sha256().digest_size :]:
            raise FilterError.of(self._path, DAMAGED)
        numbers = _INDEX.unpack(index)
        self._ends, self._checksums = numbers[:BUCKETS], numbers[BUCKETS:]
        if len(self._map) != _HEAD_BYTES + self._ends[-1] * ENTRY_BYTES:
            raise FilterError.of(self._path, DAMAGED)

    def __len__(self) -> int:
        """Return the number of entries."""
        return int(self._ends[-1])

    def __contains__(self, password: str) -> bool:
        """Tell whether a password is breached.

        Raises:
            FilterError: If its bucket is damaged.

        """
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).digest()
        bucket, entry = int.from_bytes(digest[:2]), digest[2 : 2 + ENTRY_BYTES]
        entries = self._entries(bucket)
        found = bisect_left(range(len(entries) // ENTRY_BYTES), entry, key=lambda index: _entry(entries, index))
        return _entry(entries, found) == entry

    def check(self) -> None:
        """Read all of it.

        Raises:
            FilterError: If any of it is damaged.

        """
        for bucket in range(BUCKETS):
            self._entries(bucket)

    def _entries(self, bucket: int) -> bytes:
        first = self._ends[bucket - 1] if bucket else 0
        start, end = (_HEAD_BYTES + each * ENTRY_BYTES for each in (first, self._ends[bucket]))
        entries = self._map[start:end]
        if zlib.crc32(entries) != self._checksums[bucket]:
            raise FilterError.of(self._path, DAMAGED)
        return entries


def require_filter(path: Path) -> Path:
    """Return the path of a filter once it has been opened.

    Raises:
        ValueError: If it is none, or its head is damaged.

    """
    BreachedPasswords(path)
    return path


def build_filter(
    lines: Iterable[bytes], target: Path, least_count: int, on_progress: Callable[[int], None] = lambda _lines: None
) -> int:
    """Write a filter of a list; the file is there once it is whole. Memory is bounded, whatever the list's length.

    Args:
        lines: The list's lines: a SHA-1 in hexadecimal digits, perhaps with a colon and a count, or else a password.
        target: The file.
        least_count: Hashes with a smaller count are left out.
        on_progress: Takes the number of lines read, now and then.

    Returns:
        The number of entries.

    Raises:
        FilterError: If the list has a line of more than 4096 bytes, or no entry.
        OSError: If the list cannot be read or the file not be written, as on a full disk.

    """
    with ExitStack() as open_files:
        directory = open_files.enter_context(tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}."))
        parts = [open_files.enter_context((Path(directory) / f"{number:02x}").open("w+b")) for number in range(_PARTS)]
        for number, line in enumerate(lines):
            entry = _digest_of(line, least_count)
            if entry is not None:
                parts[entry[0]].write(entry[: 2 + ENTRY_BYTES])
            if number % _PROGRESS_LINES == 0:
                on_progress(number)
        whole = Path(directory) / "whole"
        with whole.open("wb") as file:
            count = _write(file, parts)
        if not count:
            text = "the list has no entry"
            raise FilterError(text)
        whole.replace(target)
        return count


def _digest_of(line: bytes, least_count: int) -> bytes | None:
    text = line.rstrip(b"\r\n")
    if len(text) > LONGEST_LINE:
        reason = f"a line has more than {LONGEST_LINE} bytes: this is no list of passwords or hashes"
        raise FilterError(reason)
    if not text:
        return None
    found = _SHA1.fullmatch(text)
    if found is None:
        return hashlib.sha1(text, usedforsecurity=False).digest()
    return None if found[2] is not None and int(found[2]) < least_count else bytes.fromhex(found[1].decode())


def _write(file: IO[bytes], parts: Sequence[IO[bytes]]) -> int:
    """Write the entries of all parts, and then the head before them."""
    ends, checksums, count = [], [], 0
    file.seek(_HEAD_BYTES)
    for part, source in enumerate(parts):
        source.seek(0)
        data = source.read()
        width = 2 + ENTRY_BYTES
        buckets: list[list[bytes]] = [[] for _ in range(BUCKETS // _PARTS)]
        for entry in sorted({data[start : start + width] for start in range(0, len(data), width)}):
            buckets[int.from_bytes(entry[:2]) - part * len(buckets)].append(entry[2:])
        for entries in buckets:
            written = b"".join(entries)
            count += len(entries)
            ends.append(count)
            checksums.append(zlib.crc32(written))
            file.write(written)
    index = _INDEX.pack(*ends, *checksums)
    file.seek(0)
    file.write(MAGIC + index + hashlib.sha256(MAGIC + index).digest())
    return count


def _entry(entries: bytes, index: int) -> bytes:
    return entries[index * ENTRY_BYTES : (index + 1) * ENTRY_BYTES]
