"""The row store: rows and how far they reflect the log are written as one; a damaged store is dropped, never served."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.common.rows.changelog import Changes, PartitionState, VoidRecord
from services.common.rows.fence import Fence
from services.common.rows.store import (
    Origin,
    RocksDisk,
    RocksStore,
    StoreDamagedError,
    StoreError,
    StoreInUseError,
)

ROWS = 400
LARGE = 100_000
WRITER = """
import sys
from itertools import count
from pathlib import Path
from services.common.rows.changelog import Changes, PartitionState
from services.common.rows.store import RocksStore

store = RocksStore(Path(sys.argv[1]))
for number in count():
    rows = {b"row-%d" % (number * 10 + place): b"x" * 2000 for place in range(10)}
    store.write(0, Changes(PartitionState((number + 1) * 10), rows, {}))
    print(number, flush=True)
"""


def changes(rows: Mapping[bytes, bytes | None], offset: int = 1) -> Changes:
    """Return changes of rows up to an offset."""
    return Changes(PartitionState(offset, Fence(2, "A" * 22), offset * 1000), rows, {})


@contextmanager
def opened(directory: Path) -> Iterator[RocksStore]:
    """Open a store and close it afterwards."""
    store = RocksStore(directory)
    try:
        yield store
    finally:
        store.close()


def fill(directory: Path) -> None:
    """Write enough rows to create a table file."""
    with opened(directory) as store:
        store.write(0, changes({b"row-%04d" % number: os.urandom(1000) for number in range(ROWS)}, ROWS))


def is_empty(store: RocksStore) -> bool:
    """Tell whether a store is as if just made."""
    return (store.origin, store.states, store.page(b"", 1)) == (None, {}, [])


def test_rows_and_states_are_there_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert is_empty(store)
        store.begin(Origin(identity="topic", current_at=1.5))
        store.write(0, changes({b"a": b"1", b"b": b"2", b"c": b"3"}, 3))
        store.write(0, changes({b"b": None}, 4))
        store.write(7, changes({b"d": b"4"}, 9))
    with opened(tmp_path) as store:
        assert store.origin == Origin(identity="topic", current_at=1.5)
        assert store.states == {0: changes({}, 4).state, 7: changes({}, 9).state}
        assert [store.get(key) for key in (b"c", b"b", b"a")] == [b"3", None, b"1"]


def test_page_has_rows_in_the_order_of_their_keys_and_nothing_of_the_stores_own(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.begin(Origin(identity="topic", current_at=1.5))
        void = {b"a": VoidRecord(1, b"late")}
        store.write(0, Changes(PartitionState(1), {b"c": b"3", b"a": b"1"}, void, (), {b"\0mark/x": 1}))
        assert store.page(b"", 10) == [(b"a", b"1"), (b"c", b"3")]
        assert store.page(b"a", 1) == [(b"c", b"3")]
        assert store.page(b"c", 1) == []


def test_void_records_and_marks_are_there_after_a_restart_until_they_are_over(tmp_path: Path) -> None:
    void = {b"a": VoidRecord(1000, b"late"), b"b": VoidRecord(2000, None), b"c": VoidRecord(3000, b"late")}
    marks = {b"\0mark/x": 10, b"\0mark/y": 20}
    with opened(tmp_path) as store:
        store.write(0, Changes(PartitionState(1), {}, void, (), marks))
        store.write(1, Changes(PartitionState(1), {}, {b"a": VoidRecord(4000, b"other")}))
        store.write(0, Changes(PartitionState(2), {b"c": b"row"}, {b"c": None}, (), {b"\0mark/x": None}))
        assert (store.void, store.marks[0]) == ({0: {b"a": 1000, b"b": 2000}, 1: {b"a": 4000}}, {b"\0mark/y": 20})
    with opened(tmp_path) as store:
        assert (store.void, store.marks) == ({0: {b"a": 1000, b"b": 2000}, 1: {b"a": 4000}}, {0: {b"\0mark/y": 20}})
        assert [store.void_record(0, key) for key in (b"a", b"b", b"c")] == [void[b"a"], void[b"b"], None]
        assert store.void_record(1, b"a") == VoidRecord(4000, b"other")


def test_kill_at_any_time_leaves_no_offset_without_its_rows(tmp_path: Path) -> None:
    for at_least in (1, 40, 700):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            while int(writer.stdout.readline()) < at_least:
                pass
            writer.send_signal(signal.SIGKILL)
        with opened(tmp_path) as store:
            offset = store.states[0].offset
            assert offset >= at_least * 10
            assert None not in [store.get(b"row-%d" % number) for number in range(offset)]
            assert store.get(b"row-%d" % offset) is None
        RocksDisk(tmp_path).drop()
        with opened(tmp_path) as store:
            assert is_empty(store)


def test_second_process_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path / "store"):
        with pytest.raises(StoreInUseError, match="needs its own data directory"):
            RocksDisk(tmp_path / "store").open()
        other = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
        ended = subprocess.run(other, capture_output=True, text=True, check=False)
    assert "StoreInUseError" in ended.stderr


@pytest.mark.parametrize("kept_bytes", [0, 1000])
def test_store_with_a_damaged_file_is_dropped(tmp_path: Path, kept_bytes: int) -> None:
    fill(tmp_path)
    (table,) = tmp_path.glob("*.sst")
    os.truncate(table, kept_bytes)
    with opened(tmp_path) as store:
        assert is_empty(store)


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*"])
def test_store_whose_list_of_files_is_damaged_is_dropped(tmp_path: Path, name: str) -> None:
    fill(tmp_path)
    (file,) = tmp_path.glob(name)
    file.write_bytes(b"garbage")
    with opened(tmp_path) as store:
        assert is_empty(store)


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
            [store.get(b"row-%04d" % number) for number in range(ROWS)]


def test_full_disk_is_reported_and_the_write_is_not_done_in_part(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.write(0, changes({b"a": b"1"}, 1))
        with files_bounded(LARGE), pytest.raises(StoreError, match="File too large"):
            store.write(0, changes({b"b": os.urandom(2 * LARGE)}, 2))
        assert store.states[0].offset == 1
    with opened(tmp_path) as store:
        assert (store.states[0].offset, store.get(b"a"), store.get(b"b")) == (1, b"1", None)


@contextmanager
def files_bounded(size_bytes: int) -> Iterator[None]:
    """Limit the size of this process's files, like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
