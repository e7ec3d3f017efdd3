"""A view's rows on disk: RocksDB, where each write takes the rows and how far they reflect the topic, or nothing.

It is a copy. What is damaged, or of another topic, is dropped and read anew; nothing is lost with it.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import rocksdict
import structlog
from pydantic import Field
from rocksdict import Rdict, WriteBatch

from schemas.base import Model

log = structlog.get_logger(__name__)
MEBIBYTE: Final = 1024 * 1024
BLOCK_CACHE_BYTES: Final = 16 * MEBIBYTE
WRITE_BUFFER_BYTES: Final = 8 * MEBIBYTE
WRITE_BUFFERS: Final = 2
BLOCK_BYTES: Final = 8 * 1024
BLOOM_BITS: Final = 10
OPEN_FILES: Final = 256
_POSITION: Final = b"\x00position"
"""Where the position is kept; no row's key begins with a zero."""
_ESTIMATED_KEYS: Final = "rocksdb.estimate-num-keys"
_FIRST_ROW: Final = b"\x01"


class StoreError(Exception):
    """The rows cannot be kept or read: the disk is full, or fails. The text says where and why."""


class StoreInUseError(StoreError):
    """Another process has the store."""


class StoreDamagedError(StoreError):
    """The store's files do not hold what was written."""


class Position(Model):
    """How far the rows reflect a topic.

    Attributes:
        identity: Which topic it is (`topic_facts.TopicFacts`).
        offsets: By partition, the offset of the first record that the rows do not reflect.
        current_at: When the rows reflected all of the topic for the last time, or, of rows that never did, when reading
            began; Unix time in seconds.

    """

    identity: str
    offsets: dict[int, int] = Field(default_factory=dict)
    current_at: float


class RowStore:
    """The rows of one view, by key, and their position.

    Attributes:
        position: What the rows reflect; None of a store that was just made.

    """

    position: Position | None

    def __init__(self, directory: Path) -> None:
        """Open it, or make it.

        Args:
            directory: Its own directory. What is damaged there is dropped.

        Raises:
            StoreInUseError: If another process has it open.
            StoreError: If it cannot be opened for another reason.

        """
        self._directory = directory
        try:
            self._open()
        except StoreDamagedError as error:
            log.warning("a damaged store of rows is dropped", reason=str(error))
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

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of keys, in their order.

        Raises:
            StoreError: If the disk does not give them.

        """
        try:
            rows: list[bytes | None] = self._rows.get(list(keys)) or []
        except Exception as error:
            raise self._error(error) from error
        return rows

    def page(self, after: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys.

        Args:
            after: The key that they come after; empty from the first one on.
            most: How many at the most.

        Raises:
            StoreError: If the disk does not give them.

        """
        found: list[tuple[bytes, bytes]] = []
        try:
            rows = self._rows.iter()
            rows.seek(after + b"\x00" if after else _FIRST_ROW)
            while rows.valid() and len(found) < most:
                found.append((rows.key(), rows.value()))
                rows.next()
            rows.status()  # raises where the rows ended for a fault of the disk
        except Exception as error:
            raise self._error(error) from error
        return found

    def write(self, rows: Mapping[bytes, bytes | None], position: Position) -> None:
        """Write rows and their position, all or nothing, over any crash.

        Args:
            rows: By key; None deletes.
            position: What the rows reflect then.

        Raises:
            StoreError: If the disk does not take them; nothing must be served from here then.

        """
        batch = WriteBatch(raw_mode=True)
        for key, row in rows.items():
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        batch.put(_POSITION, position.model_dump_json().encode())
        try:
            self._rows.write(batch)
        except Exception as error:
            raise self._error(error) from error
        self.position = position

    def drop(self) -> None:
        """Remove all rows, and the position."""
        self.close()
        shutil.rmtree(self._directory)
        self._open()

    def _open(self) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._rows = Rdict(str(self._directory), options=_options())
            kept = self._rows.get(_POSITION)
            self.position = None if kept is None else Position.model_validate_json(kept)
        except Exception as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> StoreError:
        """Tell what is the matter by RocksDB's words, which is all that its binding gives."""
        text = f"{self._directory}: {error}"
        if "/LOCK" in str(error):
            return StoreInUseError(f"{text} (each instance needs a data directory of its own)")
        damaged = "Corruption" in str(error) or isinstance(error, ValueError)
        return StoreDamagedError(text) if damaged else StoreError(text)


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
