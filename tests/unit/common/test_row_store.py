"""The row store: rows and position are written atomically; a damaged store is dropped, never served."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.common.rows.store import Position, RowStore, StoreDamagedError, StoreError, StoreInUseError

ROWS = 400
LARGE = 100_000
WRITER = """
import sys
from itertools import count
from pathlib import Path
from services.common.rows.store import Position, RowStore

store = RowStore(Path(sys.argv[1]))
for number in count():
    rows = {b"row-%d" % (number * 10 + place): b"x" * 2000 for place in range(10)}
    store.write(rows, Position(identity="topic", offsets={0: (number + 1) * 10}, current_at=0))
    print(number, flush=True)
"""


def a_position(offset: int = 0) -> Position:
    """Return a position in a topic with one partition."""
    return Position(identity="topic", offsets={0: offset}, current_at=1.5)


@contextmanager
def opened(directory: Path) -> Iterator[RowStore]:
    """Open a store and close it afterwards."""
    store = RowStore(directory)
    try:
        yield store
    finally:
        store.close()


def fill(directory: Path) -> None:
    """Write enough rows to create a table file."""
    with opened(directory) as store:
        store.write({b"row-%04d" % number: os.urandom(1000) for number in range(ROWS)}, a_position(ROWS))


def test_rows_and_position_are_there_again(tmp_path: Path) -> None:
    with opened(tmp_path / "store") as store:
        assert store.position is None
        store.write({b"a": b"1", b"b": b"2", b"c": b"3"}, a_position(3))
        store.write({b"b": None}, a_position(4))
    with opened(tmp_path / "store") as store:
        assert store.position == a_position(4)
        assert store.get_many([b"c", b"b", b"a"]) == [b"3", None, b"1"]
        assert store.page(b"", 10) == [(b"a", b"1"), (b"c", b"3")]
        assert store.page(b"a", 1) == [(b"c", b"3")]
        assert store.page(b"c", 1) == []


def test_a_kill_at_any_time_leaves_no_offset_without_its_rows(tmp_path: Path) -> None:
    offset = 0
    for at_least in (1, 40, 700):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            while int(writer.stdout.readline()) < at_least:
                pass
            writer.send_signal(signal.SIGKILL)
        with opened(tmp_path) as store:
            assert store.position is not None
            offset = store.position.offsets[0]
            assert offset >= at_least * 10
            assert None not in store.get_many([b"row-%d" % number for number in range(offset)])
            assert store.get(b"row-%d" % offset) is None
        with opened(tmp_path) as store:
            store.drop()
            assert (store.position, store.page(b"", 1)) == (None, [])


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "store"):
        with pytest.raises(StoreInUseError, match="needs its own data directory"):
            RowStore(tmp_path / "store")
        other = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
        ended = subprocess.run(other, capture_output=True, text=True, check=False)
    assert "StoreInUseError" in ended.stderr


@pytest.mark.parametrize("kept_bytes", [0, 1000])
def test_a_store_with_a_damaged_file_is_dropped(tmp_path: Path, kept_bytes: int) -> None:
    fill(tmp_path)
    (table,) = tmp_path.glob("*.sst")
    os.truncate(table, kept_bytes)
    with opened(tmp_path) as store:
        assert (store.position, store.page(b"", 1)) == (None, [])


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
def test_a_store_whose_list_of_files_is_damaged_is_dropped(tmp_path: Path, name: str) -> None:
    fill(tmp_path)
    (file,) = tmp_path.glob(name)
    file.write_bytes(b"garbage")
    with opened(tmp_path) as store:
        assert store.position is None


def test_damage_found_later_is_reported(tmp_path: Path) -> None:
    fill(tmp_path)
    (table,) = tmp_path.glob("*.sst")
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 0xFF
    table.write_bytes(content)
    with opened(tmp_path) as store:
        with pytest.raises(StoreDamagedError):
            store.page(b"", ROWS)
        with pytest.raises(StoreDamagedError):
            store.get_many([b"row-%04d" % number for number in range(ROWS)])


def test_a_full_disk_is_reported_and_the_write_is_atomic(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write({b"a": b"1"}, a_position(1))
        with files_bounded(LARGE), pytest.raises(StoreError, match="File too large"):
            store.write({b"b": os.urandom(2 * LARGE)}, a_position(2))
    with opened(tmp_path) as store:
        assert (store.position, store.get(b"a"), store.get(b"b")) == (a_position(1), b"1", None)


@contextmanager
def files_bounded(size_bytes: int) -> Iterator[None]:
    """Limit the size of this process's files, like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
