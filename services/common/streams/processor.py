"""Stream processors: a table's owner decides events, a relay forwards them."""

import time
from typing import Any, Generic, Protocol

import structlog
from faust.types import EventT, StreamT

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import Decision, RowT, UnacceptableError, decide_once
from services.common.kafka.partitions import partition_of
from services.common.kafka.publisher import Publisher
from services.common.rows.table import Relay, Table
from services.common.streams.record_guard import RecordGuard
from services.common.streams.row_table import RowTable
from services.common.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


class Processor(Protocol):
    """Handles the records of a stream, one at a time for each key."""

    async def handle(self, record: EventT[Any]) -> None:
        """Handle one record; a poison message goes to its dead-letter topic."""


async def run_processor(processor: Processor, stream: StreamT[Any]) -> None:
    """Pass each record of a stream to a processor."""
    async for record in stream.events():
        await processor.handle(record)


class TableProcessor(Generic[RowT]):
    """Decides the events of one table in this instance: decode, load, decide, save, publish.

    Metrics count each decision once, after Kafka has it. A redelivered event, here or at another owner, is in its row
    (`decide_once`) and counts as repeated only. A decision that a crash interrupts before its count is not counted. An
    event that no row remembers counts again when it is redelivered.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of one processor
        self,
        table: Table[RowT],
        rows: RowTable[RowT],
        policy: object,
        guard: RecordGuard,
        publisher: Publisher,
        metrics: Metrics,
    ) -> None:
        self._table = table
        self._rows = rows
        self._policy = policy
        self._guard = guard
        self._publisher = publisher
        self._metrics = metrics
        self._tally = None if table.tally is None else table.tally(metrics)

    async def handle(self, record: EventT[Any]) -> None:
        """Decide one record; the guard dead-letters a poison message."""
        async with self._guard.protect(record):
            started = time.monotonic()
            with self._guard.decoded(record) as event:
                self._require_own_partition(record)
                key = event.data.key
                before = self._rows.load(key)
                decision = decide_once(before, event, self._decide)
                # Save before publish: a reply to a published message must find the row, even after a crash (ADR 3).
                await self._rows.save(key, decision.row)
                await self._publisher.publish_outputs(event, self._table.source, decision.events)
            self._metrics.decision_seconds.labels(self._table.name).observe(time.monotonic() - started)
            self._count(before, event, decision)
            log.info(
                "decided",
                event_type=event.data.type,
                event_id=event.id,
                table=self._table.name,
                outcome=decision.outcome,
                published=[message.type for message in decision.events],
            )

    def _decide(self, row: RowT | None, event: Event[Message]) -> Decision[RowT]:
        return self._table.decide(row, event, self._policy)

    def _require_own_partition(self, record: EventT[Any]) -> None:
        """Reject a misrouted record: this owner does not have its key's row, and must not create one."""
        message, partitions = record.message, self._rows.partitions
        own = partition_of(message.key or b"", partitions)
        if message.partition != own:
            text = f"the record is in partition {message.partition}, but its key belongs to {own} of {partitions}"
            raise UnacceptableError(text)

    def _count(self, before: RowT | None, event: Event[Message], decision: Decision[RowT]) -> None:
        if decision.repeated:
            self._metrics.repeated_events.labels(self._table.name).inc()
            return
        self._metrics.decisions.labels(self._table.name, event.data.type, str(decision.outcome)).inc()
        if self._tally is not None:
            self._tally(before, event, decision)


class RelayProcessor:
    """Forwards the events of one relay in this instance."""

    def __init__(self, relay: Relay, guard: RecordGuard, publisher: Publisher) -> None:
        self._relay = relay
        self._guard = guard
        self._publisher = publisher

    async def handle(self, record: EventT[Any]) -> None:
        """Forward one record; the guard dead-letters a poison message."""
        async with self._guard.protect(record):
            with self._guard.decoded(record) as event:
                messages = self._relay.translate(event)
                await self._publisher.publish_outputs(event, self._relay.source, messages)
            log.info(
                "forwarded" if messages else "ignored",
                event_type=event.data.type,
                event_id=event.id,
                published=[message.type for message in messages],
            )
