"""A Faust table of stamped rows, fenced against stale changelog records (`services.common.rows.stamps`)."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from faust import Table
from faust.stores.rocksdb import Store
from faust.types import TP, EventT, FutureMessage
from yarl import URL

from services.common.rows.stamps import TOMBSTONE_HEADER, is_newer, stamp

if TYPE_CHECKING:
    from faust.tables.manager import TableManager


class VersionedStore(Store):
    """RocksDB rows that a stale changelog record does not replace.

    Attributes:
        masked: The (partition, key) of rows whose last changelog record, as far as read, is stale.

    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.masked: set[tuple[int, bytes]] = set()

    def row(self, partition: int, key: bytes) -> bytes | None:
        """Return the stored row of a key in a partition."""
        value: bytes | None = self._db_for_partition(partition).get(key)
        return value

    def apply_changelog_batch(
        self, batch: Iterable[EventT[Any]], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Write the records that are not older than the rows that they replace."""
        newest: dict[tuple[int, bytes], bytes | None] = {}
        ends: dict[TP, int] = {}
        applied = []
        for event in batch:
            message = event.message
            slot = (message.partition, message.key or b"")
            current = newest[slot] if slot in newest else self.row(*slot)
            if is_newer(message.value, current, message.headers):
                newest[slot] = message.value
                applied.append(event)
                self.masked.discard(slot)
            else:
                newest[slot] = current
                self.masked.add(slot)
            ends[message.tp] = message.offset
        super().apply_changelog_batch(applied, to_key, to_value)
        for tp, end in ends.items():
            self.advance_offset(tp, end)

    def advance_offset(self, tp: TP, end: int) -> None:
        """Record that the rows include a changelog partition up to and including an offset."""
        if end > self.reflected_offset(tp):
            self.set_persisted_offset(tp, end)

    def reflected_offset(self, tp: TP) -> int:
        """Return the last changelog offset that the rows include; -1 if there is none."""
        offset = self.persisted_offset(tp)
        return -1 if offset is None else offset


class VersionedTable(Table[bytes, bytes]):
    """A table of stamped rows: keys are bytes, values are bytes that start with the stamp.

    Attributes:
        failure: The error after which the rows here and in Kafka may differ; None before it.

    """

    data: VersionedStore

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"key_type": bytes, "value_type": bytes, **options})
        self._pending: set[FutureMessage] = set()
        self.failure: BaseException | None = None

    def fail(self, error: Exception) -> None:
        """Record that the rows here and in Kafka may differ; from now on `wait_delivered` raises the error."""
        self.failure = self.failure or error

    async def wait_delivered(self) -> None:
        """Wait until Kafka has acknowledged every row written so far.

        Raises:
            KafkaError: If Kafka did not acknowledge a row within the producer's timeout; the rows here are ahead then.
            Exception: If the disk failed before.

        """
        if self._pending:
            await asyncio.wait(tuple(self._pending))
        if self.failure is not None:
            raise self.failure

    def send_changelog(
        self, partition: int | None, key: Any, value: Any, key_serializer: Any = None, value_serializer: Any = None
    ) -> FutureMessage:
        """Queue a row for the changelog; a tombstone carries the stamp of the row that it deletes."""
        headers = {} if value is not None or partition is None else self._tombstone_headers(partition, key)
        sent = self.changelog_topic.send_soon(
            key=key,
            value=value,
            partition=partition,
            headers=headers,
            key_serializer=key_serializer or self.key_serializer,
            value_serializer=value_serializer or self.value_serializer,
            callback=self._on_changelog_sent,
            eager_partitioning=True,
        )
        self._pending.add(sent)
        sent.add_done_callback(self._on_changelog_done)
        return sent

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Store the recovered offsets, and rewrite the rows that a stale record masks."""
        highwaters = cast("TableManager", self.app.tables).recovery.active_highwaters
        for tp in active_tps:
            if tp in highwaters:
                self.data.advance_offset(tp, highwaters[tp])
        for partition, key in sorted(self.data.masked):
            if any(tp.partition == partition for tp in active_tps):
                self.data.masked.discard((partition, key))
                self.send_changelog(partition, key, self.data.row(partition, key))
        await super().on_recovery_completed(active_tps, standby_tps)

    def _tombstone_headers(self, partition: int, key: bytes) -> dict[str, bytes]:
        row = self.data.row(partition, key)
        return {} if row is None else {TOMBSTONE_HEADER: b'{"epoch":%d,"version":%d}' % stamp(row)}

    def _new_store_by_url(self, url: str | URL) -> VersionedStore:
        return VersionedStore(
            url,
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            value_type=self.value_type,
            key_serializer=self.key_serializer,
            value_serializer=self.value_serializer,
            loop=self.loop,
            options=dict(self.options or {}),
        )

    def _on_changelog_sent(self, fut: FutureMessage) -> None:
        sent = fut.result()
        if sent.offset == self.data.reflected_offset(sent.topic_partition) + 1:
            self.data.advance_offset(sent.topic_partition, sent.offset)

    def _on_changelog_done(self, sent: FutureMessage) -> None:
        self._pending.discard(sent)
        if not sent.cancelled():
            self.failure = self.failure or sent.exception()
