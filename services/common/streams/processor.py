"""Stream processors: a table's owner decides events, a relay forwards them."""

import time
from dataclasses import dataclass
from typing import Final, Generic

import structlog

from schemas.base import Message
from schemas.codec import Event
from services.common.decisions import OUTDATED, Decision, RowT, UnacceptableError, decide_once
from services.common.kafka.membership import SourceRecord
from services.common.kafka.partitions import part_key, partition_of
from services.common.kafka.publisher import Publisher
from services.common.rows.changelog import is_row_key
from services.common.rows.changelog_copy import ChangelogCopy
from services.common.rows.codec import RowCache, write_part
from services.common.rows.table import Relay, Table
from services.common.streams.owner import FencedError, PartitionOwner
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessorParts:
    """What all processors of an instance share.

    Attributes:
        guard: Guards them against poison messages.
        publisher: Publishes their messages.
        metrics: Counts their decisions.
        prefix: The topics' prefix.
        partitions: How many partitions each topic has.
        policy: The policy of the tables' deciders.

    """

    guard: RecordGuard
    publisher: Publisher
    metrics: Metrics
    prefix: str
    partitions: int
    policy: object = None


class TableProcessor(Generic[RowT]):
    """Decides the events of one table in this instance: decode, load, decide, save, publish.

    Metrics count each decision once, after Kafka has it. A redelivered event, here or at another owner, is in its row
    (`decide_once`) and counts as repeated only. A decision that a crash interrupts before its count is not counted. An
    event that no row remembers counts again when it is redelivered.

    Attributes:
        name: The table's name.
        topics: The full names of the topics that it reads.
        copy: The copy of the table's changelog.

    """

    def __init__(self, table: Table[RowT], copy: ChangelogCopy, rows: RowCache[RowT], parts: ProcessorParts) -> None:
        self.name: Final = table.name
        self.topics: Final = tuple(f"{parts.prefix}{topic.name}" for topic in table.reads)
        self.copy: Final = copy
        self._table = table
        self._rows = rows
        self._parts = parts
        self._tally = None if table.tally is None else table.tally(parts.metrics)

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Decide one record; the guard dead-letters a poison message.

        Raises:
            FencedError: If this instance does not own the partition.
            NotAcknowledgedError: If it is unknown whether Kafka has what was written.

        """
        if owner is None:
            raise FencedError
        if not self._table.concerns(record.headers):
            return
        parts = self._parts
        async with parts.guard.protect(record):
            started = time.monotonic()
            with parts.guard.decoded(record) as event:
                key = self._row_key(record, event)
                value = owner.load(key)
                before = None if value is None else self._rows.read(key, value)
                decision = decide_once(before, event, self._decide)
                if not decision.repeated and (decision.row, before) != (None, None):
                    # Save before publish: a reply to a message must find the row, even after a crash (docs/adr/0003).
                    await self._save(owner, key, decision.row)
                await parts.publisher.publish_outputs(event, self._table.source, decision.events)
            parts.metrics.decision_seconds.labels(self._table.name).observe(time.monotonic() - started)
            self._count(before, event, decision)
            log.info(
                "decided",
                event_type=event.data.type,
                event_id=event.id,
                table=self._table.name,
                outcome=decision.outcome,
                published=[message.type for message in decision.events],
            )

    async def _save(self, owner: PartitionOwner, key: bytes, row: RowT | None) -> None:
        if row is None:
            await owner.save(key, None)
            return
        parts = [(part_key(key, name), None if part is None else write_part(part)) for name, part in row.parts()]
        await owner.save(key, self._rows.write(key, row.settled()), parts)

    def _decide(self, row: RowT | None, event: Event[Message]) -> Decision[RowT]:
        return self._table.decide(row, event, self._parts.policy)

    def _row_key(self, record: SourceRecord, event: Event[Message]) -> bytes:
        """Return the key of an event's row; reject a misrouted record, and a key that no reader takes for a row's.

        This owner does not have a misrouted key's row, and must not create one.
        """
        key, partitions = event.data.key.encode(), self._parts.partitions
        if not is_row_key(key):
            text = "the record's key cannot be a row's"
            raise UnacceptableError(text)
        own = partition_of(key, partitions)
        if record.partition != own:
            text = f"the record is in partition {record.partition}, but its key belongs to {own} of {partitions}"
            raise UnacceptableError(text)
        return key

    def _count(self, before: RowT | None, event: Event[Message], decision: Decision[RowT]) -> None:
        if decision.outcome == OUTDATED:
            self._parts.metrics.outdated_events.labels(self._table.name).inc()
            return
        if decision.repeated:
            self._parts.metrics.repeated_events.labels(self._table.name).inc()
            return
        self._parts.metrics.decisions.labels(self._table.name, event.data.type, str(decision.outcome)).inc()
        if self._tally is not None:
            self._tally(before, event, decision)


class RelayProcessor:
    """Forwards the events of one relay in this instance.

    Attributes:
        name: The relay's name.
        topics: The full names of the topics that it reads.
        copy: None: a relay has no rows.

    """

    copy: None = None

    def __init__(self, relay: Relay, parts: ProcessorParts) -> None:
        self.name: Final = relay.name
        self.topics: Final = tuple(f"{parts.prefix}{topic.name}" for topic in relay.reads)
        self._relay = relay
        self._parts = parts

    async def handle(self, record: SourceRecord, owner: PartitionOwner | None) -> None:
        """Forward one record; the guard dead-letters a poison message.

        Raises:
            NotAcknowledgedError: If it is unknown whether Kafka has what was written.

        """
        del owner  # it has no rows
        async with self._parts.guard.protect(record):
            with self._parts.guard.decoded(record) as event:
                messages = self._relay.translate(event)
                await self._parts.publisher.publish_outputs(event, self._relay.source, messages)
            log.info(
                "forwarded" if messages else "ignored",
                event_type=event.data.type,
                event_id=event.id,
                published=[message.type for message in messages],
            )
