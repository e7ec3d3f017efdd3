"""Tables of rows: a Faust table, on RocksDB, with its changelog in Kafka. Written only by the partition's owner."""

from typing import Generic

import faust

from services.common.changelog import VersionedTable
from services.common.decisions import RowT
from services.common.stream_settings import ROCKSDB_OPTIONS


class NotDeliveredError(Exception):
    """A row is on this instance's disk and not in Kafka."""


class RowTable(Generic[RowT]):
    """The rows of one kind, by key."""

    def __init__(self, app: faust.App, name: str, model: type[RowT], partitions: int) -> None:
        """Declare the table.

        Args:
            app: The Faust app.
            name: The table's name.
            model: The rows' model.
            partitions: As many as its source topics have.

        """
        self.name = name
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
        """Return a key's row, or None."""
        value = self._table.get(key.encode())
        return None if value is None else self._model.model_validate_json(value)

    async def save(self, key: str, row: RowT | None) -> None:
        """Write a key's row, or delete it, and wait until Kafka has it.

        Only within an agent, for the key of the event in hand.

        Raises:
            NotDeliveredError: If Kafka did not take it in the producer's time; this instance must then start anew.

        """
        if row is None:
            self._table.pop(key.encode(), None)
        else:
            epoch = max(row.epoch, self._app.consumer_generation_id)
            stamped = row.model_copy(update={"epoch": epoch, "version": row.version + 1})
            self._table[key.encode()] = stamped.model_dump_json().encode()
        try:
            await self._table.delivered()
        except Exception as error:
            raise NotDeliveredError from error
