"""The owner of a table's rows decides every event on them: decode, load, decide, save, publish."""

import time
from collections.abc import Callable
from typing import Any, Generic

import structlog
from faust.types import EventT

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import Decision, RowT, UnacceptableError, decide_once
from services.common.kafka.partitions import partition_of
from services.common.kafka.publisher import Publisher
from services.common.streams.record_guard import RecordGuard
from services.common.streams.row_table import RowTable
from services.common.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


class TableProcessor(Generic[RowT]):
    """Decides the events of one table in this instance, one at a time for each key.

    Each decision is counted once, after Kafka has it: an event that comes again, here or at another owner, finds itself
    in its row (`decide_once`) and counts as repeated alone. What a crash cut off before it was counted is counted
    nowhere. Where nothing is kept of an event (no row, or more than a row remembers), a repeat counts as another.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of one owner
        self,
        table: RowTable[RowT],
        decide: Callable[[RowT | None, Event[Message]], Decision[RowT]],
        edge: RecordGuard,
        publisher: Publisher,
        metrics: Metrics,
        tally: Callable[[RowT | None, Event[Message], Decision[RowT]], None] | None = None,
    ) -> None:
        """Take the table, its rule, and what surrounds them.

        Args:
            table: The rows.
            decide: The rule; pure.
            edge: Guards it.
            publisher: Publishes what follows.
            metrics: Counts decisions.
            tally: Counts what else a decision means, by the row before, the event and the decision; each once.

        """
        self._table = table
        self._decide = decide
        self._edge = edge
        self._publisher = publisher
        self._metrics = metrics
        self._tally = tally

    async def handle(self, record: EventT[Any]) -> None:
        """Decide one record; what cannot be decided is set aside by the edge."""
        async with self._edge.protect(record):
            started = time.monotonic()
            with self._edge.decoded(record) as event:
                self._require_own_partition(record)
                key = event.data.key
                before = self._table.load(key)
                decision = decide_once(before, event, self._decide)
                # In this order: an answer to what is published must find the row, over any crash (docs/adr/0003).
                await self._table.save(key, decision.row)
                await self._publisher.publish_outputs(event, self._table.name, decision.events)
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

    def _require_own_partition(self, record: EventT[Any]) -> None:
        """Refuse a record that lies in a partition whose owner does not have its key's row, and must not make one."""
        message, partitions = record.message, self._table.partitions
        home = partition_of(message.key or b"", partitions)
        if message.partition != home:
            text = f"it lies in partition {message.partition}, and its key's is {home} of {partitions}"
            raise UnacceptableError(text)

    def _count(self, before: RowT | None, event: Event[Message], decision: Decision[RowT]) -> None:
        if decision.repeated:
            self._metrics.repeated_events.labels(self._table.name).inc()
            return
        self._metrics.decisions.labels(self._table.name, event.data.type, str(decision.outcome)).inc()
        if self._tally is not None:
            self._tally(before, event, decision)
