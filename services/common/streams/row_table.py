"""Row tables: Faust tables on RocksDB with a changelog in Kafka; only the partition's owner writes them."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Generic

import faust

from services.common.decisions import RowT
from services.common.rows.codec import read_row, write_row
from services.common.rows.store import MEBIBYTE
from services.common.streams.versioned_table import VersionedTable

ROCKSDB_OPTIONS: Final[Mapping[str, object]] = MappingProxyType(
    {
        # Each partition of each table has a database, so Faust's 2 GiB of cache and 3 x 64 MiB of buffers would add up.
        "block_cache_size": 8 * MEBIBYTE,
        "write_buffer_size": 4 * MEBIBYTE,
        "max_write_buffer_number": 2,
    }
)
"""RocksDB's options for every table."""


class StorageError(Exception):
    """A row cannot be read, or differs between this instance's disk and Kafka; the instance must restart.

    No decision may build on that row. The current event is valid, and Kafka redelivers it to this or another instance.
    """


class RowTable(Generic[RowT]):
    """The rows of one kind, by key.

    Attributes:
        name: The table's name.
        partitions: The number of partitions, the same as of its source topics.

    """

    def __init__(self, app: faust.App, name: str, model: type[RowT], partitions: int) -> None:
        """Declare the table in a Faust app."""
        self.name = name
        self.partitions = partitions
        self._app = app
        self._model = model
        self._table = VersionedTable(
            app,
            name=name,
            partitions=partitions,
            options=dict(ROCKSDB_OPTIONS),
        )
        app.tables.add(self._table)

    def load(self, key: str) -> RowT | None:
        """Return a key's row, or None.

        Raises:
            StorageError: If the read fails, or a write failed before.

        """
        # If Kafka has a row that the disk lacks, a decision would treat the row as missing.
        if self._table.failure is not None:
            raise StorageError from self._table.failure
        try:
            value = self._table.get(key.encode())
        except Exception as error:
            self._table.fail(error)
            raise StorageError from error
        return None if value is None else read_row(self._model, value)

    async def save(self, key: str, row: RowT | None) -> None:
        """Write a key's row, or delete it, and wait until Kafka has acknowledged it.

        Call it only within an agent, for the key of the current event.

        Raises:
            StorageError: If the disk's write fails, or Kafka does not acknowledge the row before the timeout.

        """
        try:
            self._write(key.encode(), row)
            await self._table.wait_delivered()
        except Exception as error:
            self._table.fail(error)
            raise StorageError from error

    def _write(self, key: bytes, row: RowT | None) -> None:
        if row is None:
            self._table.pop(key, None)
            return
        epoch = max(row.epoch, self._app.consumer_generation_id)
        stamped = replace(row, epoch=epoch, version=row.version + 1)
        self._table[key] = write_row(stamped).decode().encode()
