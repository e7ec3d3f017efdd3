"""A copy of a changelog on disk, in RocksDB. Each write stores rows and how far they reflect the log, atomically.

It is a copy. What is damaged, or of another topic, is dropped and read anew; nothing is lost with it.
"""

import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import rocksdict
import structlog
from pydantic import TypeAdapter
from rocksdict import Rdict, WriteBatch

from schemas.base import Model
from services.common.rows.changelog import Changes, PartitionState, VoidRecord

log = structlog.get_logger(__name__)
MEBIBYTE: Final = 1024 * 1024
BLOCK_CACHE_BYTES: Final = 16 * MEBIBYTE
WRITE_BUFFER_BYTES: Final = 8 * MEBIBYTE
WRITE_BUFFERS: Final = 2
BLOCK_BYTES: Final = 8 * 1024
BLOOM_BITS: Final = 10
OPEN_FILES: Final = 256
_ORIGIN: Final = b"\x00origin"
"""Where the copy's origin is kept; no row's key begins with a zero."""
_STATE: Final = b"\x00state/"
_VOID: Final = b"\x00void/"
_MARK: Final = b"\x00mark/"
_FIRST_ROW: Final = b"\x02"
_ESTIMATED_KEYS: Final = "rocksdb.estimate-num-keys"
_PLACE: Final = struct.Struct(">I")
"""A partition's number, in keys."""
_AT: Final = struct.Struct(">q?")
"""When Kafka took a record, and whether it has a value."""
_STATES: Final = TypeAdapter(PartitionState)
_DAMAGE: Final = ("Corruption", "No such file")


class StoreError(Exception):
    """The rows cannot be kept or read: the disk is full, or fails. The text says where and why."""


class StoreInUseError(StoreError):
    """Another process has the store."""


class StoreDamagedError(StoreError):
    """The store's files do not hold what was written."""


class Origin(Model):
    """What a copy is a copy of.

    Attributes:
        identity: Which topic of which Kafka (`topic_facts.TopicFacts`).
        current_at: When the copy had all of the topic for the last time or, of one that never did, when reading began;
            Unix time in seconds.
        complete: True once it has had all that the topic had when reading began.

    """

    identity: str
    current_at: float
    complete: bool = False


class RowStore(Protocol):
    """The copy's rows by key, how far each partition is, and the void records on top of rows."""

    @property
    def origin(self) -> Origin | None:
        """What it is a copy of; None of a store that was just made."""

    @property
    def states(self) -> Mapping[int, PartitionState]:
        """How far each partition is that anything was read of."""

    @property
    def void(self) -> Mapping[int, Mapping[bytes, int]]:
        """Of each partition, the keys with a void record on top, and when Kafka took it: Unix time in milliseconds."""

    @property
    def marks(self) -> Mapping[int, Mapping[bytes, int]]:
        """Of each partition, the keys of owners' marks, and when Kafka took them: Unix time in milliseconds."""

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None."""

    def size(self) -> int:
        """Return the number of rows, about."""

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys, behind a key; empty from the first one on."""

    def begin(self, origin: Origin) -> None:
        """Note what it is a copy of, or when it was current again."""

    def write(self, partition: int, changes: Changes) -> None:
        """Write what records of a partition change, all or nothing, over any crash."""

    def void_record(self, partition: int, key: bytes) -> VoidRecord | None:
        """Return the void record on top of a key's row, or None."""

    def close(self) -> None:
        """Close it."""


class Disk(Protocol):
    """Where an instance keeps one copy."""

    def open(self) -> RowStore:
        """Open the store, or make it.

        Raises:
            StoreInUseError: If another process has it open.
            StoreError: If it cannot be opened for another reason.

        """

    def drop(self) -> None:
        """Remove the store, which is closed."""


class RocksDisk:
    """A directory with a copy in RocksDB."""

    def __init__(self, directory: Path) -> None:
        """Take the copy's own directory."""
        self._directory = directory

    def open(self) -> RowStore:
        """Open the store, or make it; what is damaged there is dropped."""
        return RocksStore(self._directory)

    def drop(self) -> None:
        """Remove the store."""
        shutil.rmtree(self._directory, ignore_errors=True)


class RocksStore:
    """The copy's rows by key, how far each partition is, and the void records on top of rows.

    Attributes:
        origin: What it is a copy of; None of a store that was just made.
        states: How far each partition is that anything was read of.
        void: Of each partition, the keys with a void record on top, and when Kafka took it: Unix time in milliseconds.
        marks: Of each partition, the keys of owners' marks, and when Kafka took them: Unix time in milliseconds.

    """

    origin: Origin | None
    states: Mapping[int, PartitionState]
    void: Mapping[int, Mapping[bytes, int]]
    marks: Mapping[int, Mapping[bytes, int]]

    def __init__(self, directory: Path) -> None:
        """Open it, or make it.

        Args:
            directory: Its own directory. What is damaged there is dropped.

        Raises:
            StoreInUseError: If another process has it open.
            StoreError: If it cannot be opened for another reason.

        """
        self._directory = directory
        self._states: dict[int, PartitionState] = {}
        self._void: dict[int, dict[bytes, int]] = {}
        self._marks: dict[int, dict[bytes, int]] = {}
        try:
            self._open()
        except StoreDamagedError as error:
            log.warning("a damaged copy of rows is dropped", reason=str(error))
            shutil.rmtree(directory)
            self._open()

    def close(self) -> None:
        """Close it. What the disk does not take any more was not promised either."""
        try:
            self._rows.close()
        except Exception as error:  # noqa: BLE001 - RocksDB's binding has no other
            log.warning("a store of rows was closed with a fault", directory=str(self._directory), error=str(error))

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None.

        Raises:
            StoreError: If the disk does not give it.

        """
        try:
            row: bytes | None = self._rows.get(key)
        except Exception as error:
            raise self._error(error) from error
        return row

    def size(self) -> int:
        """Return how many rows there are, about: RocksDB knows it without counting, but for what is to be compacted."""
        return int(self._rows.property_int_value(_ESTIMATED_KEYS) or 0)

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys; parts of rows come before all rows.

        Args:
            after: The key that they come after; empty from the first row on.
            limit: How many at the most.

        Raises:
            StoreError: If the disk does not give them.

        """
        found: list[tuple[bytes, bytes]] = []
        try:
            rows = self._rows.iter()
            rows.seek(after + b"\x00" if after else _FIRST_ROW)
            while rows.valid() and len(found) < limit:
                found.append((rows.key(), rows.value()))
                rows.next()
            rows.status()  # raises where the rows ended for a fault of the disk
        except Exception as error:
            raise self._error(error) from error
        return found

    def begin(self, origin: Origin) -> None:
        """Note what it is a copy of, or when it was current again.

        Raises:
            StoreError: If the disk does not take it.

        """
        batch = WriteBatch(raw_mode=True)
        batch.put(_ORIGIN, origin.model_dump_json().encode())
        self._write(batch)
        self.origin = origin

    def write(self, partition: int, changes: Changes) -> None:
        """Write what records of a partition change, all or nothing, over any crash.

        Raises:
            StoreError: If the disk does not take it; nothing must be served from here then.

        """
        batch = WriteBatch(raw_mode=True)
        for key, row in changes.rows.items():
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        place = _PLACE.pack(partition)
        void, marks = self._void.setdefault(partition, {}), self._marks.setdefault(partition, {})
        for key, record in changes.void.items():
            if record is not None:
                batch.put(_VOID + place + key, _AT.pack(record.at, record.value is not None) + (record.value or b""))
            elif key in void:
                batch.delete(_VOID + place + key)
        for key, at in changes.marks.items():
            if at is not None:
                batch.put(_MARK + place + key, _AT.pack(at, True))  # noqa: FBT003 - struct has no keywords
            else:
                batch.delete(_MARK + place + key)
        batch.put(_STATE + place, _STATES.dump_json(changes.state))
        self._write(batch)
        self._states[partition] = changes.state
        update(void, {key: None if record is None else record.at for key, record in changes.void.items()})
        update(marks, changes.marks)

    def void_record(self, partition: int, key: bytes) -> VoidRecord | None:
        """Return the void record on top of a key's row, or None.

        Raises:
            StoreError: If the disk does not give it.

        """
        kept = self.get(_VOID + _PLACE.pack(partition) + key)
        if kept is None:
            return None
        at, has_value = _AT.unpack_from(kept)
        return VoidRecord(at, kept[_AT.size :] if has_value else None)

    def _write(self, batch: WriteBatch) -> None:
        try:
            self._rows.write(batch)
        except Exception as error:
            raise self._error(error) from error

    def _open(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rows = Rdict(str(self._directory), options=_options())
            origin = self._rows.get(_ORIGIN)
            self.origin = None if origin is None else Origin.model_validate_json(origin)
            self._states = {
                _PLACE.unpack(key)[0]: _STATES.validate_json(value) for key, value in self._with_prefix(_STATE)
            }
            self._void, self._marks = self._read_times(_VOID), self._read_times(_MARK)
            self.states, self.void, self.marks = self._states, self._void, self._marks
        except Exception as error:
            raise self._error(error) from error

    def _read_times(self, prefix: bytes) -> dict[int, dict[bytes, int]]:
        found: dict[int, dict[bytes, int]] = {}
        for key, value in self._with_prefix(prefix):
            (partition,) = _PLACE.unpack_from(key)
            found.setdefault(partition, {})[key[_PLACE.size :]] = _AT.unpack_from(value)[0]
        return found

    def _with_prefix(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        found = []
        rows = self._rows.iter()
        rows.seek(prefix)
        while rows.valid() and rows.key().startswith(prefix):
            found.append((rows.key()[len(prefix) :], rows.value()))
            rows.next()
        rows.status()
        return found

    def _error(self, error: Exception) -> StoreError:
        """Tell what is the matter by RocksDB's words, which is all that its binding gives."""
        text = f"{self._directory}: {error}"
        if "/LOCK" in str(error):
            return StoreInUseError(f"{text} (each instance needs its own data directory)")
        # A missing file is damage too.
        damaged = any(word in str(error) for word in _DAMAGE) or isinstance(error, (ValueError, struct.error))
        return StoreDamagedError(text) if damaged else StoreError(text)


def update(kept: dict[bytes, int], changes: Mapping[bytes, int | None]) -> None:
    """Apply changes to what a store keeps by key; None removes."""
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value


def _options() -> rocksdict.Options:
    """Return options whose memory has a bound: indexes and filters are in pages, and these in the one cache."""
    blocks = rocksdict.BlockBasedOptions()
    blocks.set_block_cache(rocksdict.Cache(BLOCK_CACHE_BYTES))
    blocks.set_block_size(BLOCK_BYTES)
    blocks.set_bloom_filter(BLOOM_BITS, block_based=False)
    blocks.set_index_type(rocksdict.BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_cache_index_and_filter_blocks(True)
    options = rocksdict.Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003 - the binding has no keywords
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(rocksdict.DBCompressionType.lz4())
    options.set_write_buffer_size(WRITE_BUFFER_BYTES)
    options.set_max_write_buffer_number(WRITE_BUFFERS)
    options.set_max_open_files(OPEN_FILES)
    options.set_keep_log_file_num(1)
    return options
