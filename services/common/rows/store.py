"""A view's rows on disk, in RocksDB. Each write stores rows and their changelog position atomically.

The store is a copy: a damaged one, or one of another topic, is dropped and rebuilt from Kafka.
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
"""Key of the position; no row's key starts with a zero byte."""
_ESTIMATED_KEYS: Final = "rocksdb.estimate-num-keys"
_FIRST_ROW: Final = b"\x01"


class StoreError(Exception):
    """The rows cannot be written or read: the disk is full or fails. The text says where and why."""


class StoreInUseError(StoreError):
    """Another process uses the store."""


class StoreDamagedError(StoreError):
    """The store's files are corrupt."""


class Position(Model):
    """The changelog position up to which the rows are complete.

    Attributes:
        identity: The topic's identity (`topic_facts.TopicFacts`).
        offsets: By partition, the offset of the next record to apply.
        current_at: The last time at which the rows were complete, or the start of reading if they never were; Unix time
            in seconds.

    """

    identity: str
    offsets: dict[int, int] = Field(default_factory=dict)
    current_at: float


class RowStore:
    """The rows of one view, by key, and their position.

    Attributes:
        position: The changelog position of the rows; None in a new store.

    """

    position: Position | None

    def __init__(self, directory: Path) -> None:
        """Open the store, or create it.

        Args:
            directory: The store's own directory; a damaged store there is dropped.

        Raises:
            StoreInUseError: If another process has opened it.
            StoreError: If it cannot be opened for another reason.

        """
        self._directory = directory
        try:
            self._open()
        except StoreDamagedError as error:
            log.warning("dropping a damaged row store", reason=str(error))
            shutil.rmtree(directory)
            self._open()

    def close(self) -> None:
        """Close the store. A failed write is logged only, since the rows are in Kafka."""
        try:
            self._rows.close()
        except Exception as error:  # noqa: BLE001 - RocksDB's binding has no other
            log.warning("closing a row store failed", directory=str(self._directory), error=str(error))

    def get(self, key: bytes) -> bytes | None:
        """Return a key's row, or None.

        Raises:
            StoreError: If the read fails.

        """
        try:
            row: bytes | None = self._rows.get(key)
        except Exception as error:
            raise self._error(error) from error
        return row

    def size(self) -> int:
        """Return RocksDB's estimate of the number of rows, which counts some rows twice until they are compacted."""
        return int(self._rows.property_int_value(_ESTIMATED_KEYS) or 0)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return the rows of keys, in the order of the keys.

        Raises:
            StoreError: If the read fails.

        """
        try:
            rows: list[bytes | None] = self._rows.get(list(keys)) or []
        except Exception as error:
            raise self._error(error) from error
        return rows

    def page(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return keys and rows in the order of the keys.

        Args:
            after: The last key of the previous page; empty for the first page.
            limit: The maximum number of rows.

        Raises:
            StoreError: If the read fails.

        """
        page: list[tuple[bytes, bytes]] = []
        try:
            rows = self._rows.iter()
            rows.seek(after + b"\x00" if after else _FIRST_ROW)
            while rows.valid() and len(page) < limit:
                page.append((rows.key(), rows.value()))
                rows.next()
            rows.status()  # raises if a disk error ended the iteration
        except Exception as error:
            raise self._error(error) from error
        return page

    def write(self, rows: Mapping[bytes, bytes | None], position: Position) -> None:
        """Write rows and their position atomically.

        Args:
            rows: By key; None deletes.
            position: The changelog position after this write.

        Raises:
            StoreError: If the write fails; the store must then not serve any row.

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
            stored = self._rows.get(_POSITION)
            self.position = None if stored is None else Position.model_validate_json(stored)
        except Exception as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> StoreError:
        """Classify an error by RocksDB's message; its binding has one exception type only."""
        text = f"{self._directory}: {error}"
        if "/LOCK" in str(error):
            return StoreInUseError(f"{text} (each instance needs its own data directory)")
        damaged = "Corruption" in str(error) or isinstance(error, ValueError)
        return StoreDamagedError(text) if damaged else StoreError(text)


def _options() -> rocksdict.Options:
    """Return options that bound the memory: indexes and filters are partitioned and share the block cache."""
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
