"""The processors of a service's records: each table's owner decides its events, each relay passes its events on."""

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
    """Works on the records of a stream, one at a time for each key."""

    async def handle(self, record: EventT[Any]) -> None:
        """Work on one record; what cannot be used goes to its dead-letter topic."""


async def run_processor(processor: Processor, stream: StreamT[Any]) -> None:
    """Give a processor each record of a stream."""
    async for record in stream.events():
        await processor.handle(record)


class TableProcessor(Generic[RowT]):
    """Decides the events of one table in this instance: decode, load, decide, save, publish.

    Each decision is counted once, after Kafka has it: an event that comes again, here or at another owner, finds itself
    in its row (`decide_once`) and counts as repeated alone. What a crash cut off before it was counted is counted
    nowhere. Where nothing is kept of an event (no row, or more than a row remembers), a repeat counts as another.
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
        """Decide one record; the guard sets aside what cannot be decided."""
        async with self._guard.protect(record):
            started = time.monotonic()
            with self._guard.decoded(record) as event:
                self._require_own_partition(record)
                key = event.data.key
                before = self._rows.load(key)
                decision = decide_once(before, event, self._decide)
                # In this order: an answer to what is published must find the row, over any crash (docs/adr/0003).
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
        """Reject a misrouted record: the owner of its partition does not have its key's row, and must not make one."""
        message, partitions = record.message, self._rows.partitions
        own = partition_of(message.key or b"", partitions)
        if message.partition != own:
            text = f"it lies in partition {message.partition}, and its key's is {own} of {partitions}"
            raise UnacceptableError(text)

    def _count(self, before: RowT | None, event: Event[Message], decision: Decision[RowT]) -> None:
        if decision.repeated:
            self._metrics.repeated_events.labels(self._table.name).inc()
            return
        self._metrics.decisions.labels(self._table.name, event.data.type, str(decision.outcome)).inc()
        if self._tally is not None:
            self._tally(before, event, decision)


class RelayProcessor:
    """Passes the events of one relay on in this instance."""

    def __init__(self, relay: Relay, guard: RecordGuard, publisher: Publisher) -> None:
        self._relay = relay
        self._guard = guard
        self._publisher = publisher

    async def handle(self, record: EventT[Any]) -> None:
        """Pass one record on; the guard sets aside what cannot be read."""
        async with self._guard.protect(record):
            with self._guard.decoded(record) as event:
                messages = self._relay.translate(event)
                await self._publisher.publish_outputs(event, self._relay.source, messages)
            log.info(
                "passed on" if messages else "passed over",
                event_type=event.data.type,
                event_id=event.id,
                published=[message.type for message in messages],
            )
