"""Tables of rows: a Faust table, on RocksDB, with its changelog in Kafka. Written only by the partition's owner."""

from dataclasses import replace
from typing import Generic

import faust

from services.common.decisions import RowT
from services.common.rows.codec import read_row, write_row
from services.common.streams.settings import ROCKSDB_OPTIONS
from services.common.streams.versioned_table import VersionedTable


class StorageError(Exception):
    """A row could not be read, or is not both on this instance's disk and in Kafka: the instance must start anew.

    Nobody may go on from such a row, and the event in hand is not to blame. It comes again, here or elsewhere.
    """


class RowTable(Generic[RowT]):
    """The rows of one kind, by key.

    Attributes:
        name: The table's name.
        partitions: As many as its source topics have.

    """

    def __init__(self, app: faust.App, name: str, model: type[RowT], partitions: int) -> None:
        """Declare the table.

        Args:
            app: The Faust app.
            name: The table's name.
            model: The rows' model.
            partitions: As many as its source topics have.

        """
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
            StorageError: If this instance's disk does not give it, or a row was lost before.

        """
        # A row that Kafka has and the disk has not would be decided on as if it had never been.
        if self._table.lost is not None:
            raise StorageError from self._table.lost
        try:
            value = self._table.get(key.encode())
        except Exception as error:
            self._table.lose(error)
            raise StorageError from error
        return None if value is None else read_row(self._model, value)

    async def save(self, key: str, row: RowT | None) -> None:
        """Write a key's row, or delete it, and wait until Kafka has it.

        Only within an agent, for the key of the event in hand.

        Raises:
            StorageError: If the disk did not take it, or Kafka did not in the producer's time.

        """
        try:
            self._write(key.encode(), row)
            await self._table.delivered()
        except Exception as error:
            self._table.lose(error)
            raise StorageError from error

    def _write(self, key: bytes, row: RowT | None) -> None:
        if row is None:
            self._table.pop(key, None)
            return
        epoch = max(row.epoch, self._app.consumer_generation_id)
        stamped = replace(row, epoch=epoch, version=row.version + 1)
        self._table[key] = write_row(stamped).decode().encode()
