"""All three services' deciders wired together in memory, as their agents wire them: by topic, by key, one at a time.

What passes between two deciders is encoded and decoded, and a row is stored as JSON, as on the real Kafka. Only the
order over topics is free here, as it is there: each topic has its own queue, and the test says which one moves.
An instance may die between a row and what follows from it, and then its last records come again.
"""

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from schemas.base import Message
from schemas.codec import Event, Record, decode, encode
from services.common.decisions import Decision, Row, UnacceptableError, decide_once
from services.common.rows.codec import read_row, write_row
from tests.builders import T0, pairing_policy, policy

MessageT = TypeVar("MessageT", bound=Message)


TABLES: Final = Policies(policy(), pairing_policy(), frozenset()).tables()
ACCOUNTS, GUESSES, REQUESTERS, PHRASES, CHANNELS, UNPAIRED = TABLES
"""The last one is no table: a relay, which is one without rows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a topic is read: each table's owner goes through it at its own pace."""

    topic: str
    table: BoundTable


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, and where, on which row."""

    table: BoundTable
    before: Any
    event: Event[Message]
    decision: Decision[Any]


class World:
    """Everything that Kafka holds, and the time.

    Attributes:
        now: The time by everybody's clock.
        log: Every event that was published, in order; repeats are in it again.
        decisions: Every decision, in order.
        set_aside: The events that could not be true.

    """

    def __init__(self) -> None:
        self.now: datetime = T0
        self.log: list[Event[Message]] = []
        self.decisions: list[Decided] = []
        self.set_aside: list[Event[Message]] = []
        self._rows: dict[tuple[str, str], Any] = {}
        self._queues: dict[Place, deque[Record]] = {
            Place(topic.name, table): deque() for table in TABLES for topic in table.reads
        }
        self._done: dict[Place, list[Record]] = {place: [] for place in self._queues}
        self._count = 0

    def command(self, message: Message) -> None:
        """Publish a message that some web side, or a villain, gives now."""
        self._count += 1
        self.publish(Event(f"e{self._count}", self.now, "test", "", message))

    def publish(self, event: Event[Message]) -> None:
        """Publish an event; one that was published before is a repeat."""
        self.log.append(event)
        record = encode(event)
        for place, queue in self._queues.items():
            if place.topic == record.topic:
                queue.append(record)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def waiting(self) -> list[Place]:
        """Return where something waits to be decided."""
        return [place for place, queue in self._queues.items() if queue]

    def places(self) -> list[Place]:
        """Return everywhere that a topic is read."""
        return list(self._queues)

    def step(self, place: Place) -> None:
        """Decide the next record of a topic in one of the tables that read it."""
        record = self._queues[place].popleft()
        self._done[place].append(record)
        self.decide(place.table, _decoded(record))

    def settle(self) -> None:
        """Decide everything that waits."""
        while waiting := self.waiting():
            self.step(waiting[0])

    def crash(self, place: Place) -> None:
        """Decide the next record as far as saving the row; then the instance dies, and the record comes again."""
        record = self._queues[place][0]
        self.decide(place.table, _decoded(record), publish=False)

    def rewind(self, place: Place, count: int) -> None:
        """Let the last records of a topic come again in one table, as far as their rows remember them."""
        for record in reversed(self._done[place][-count:]):
            event = _decoded(record)
            row: Row | None = self.row(place.table, event.data.key)
            if row is None or row.outcome_of(event.id) is None:
                return
            self._queues[place].appendleft(self._done[place].pop())

    def decide(self, table: BoundTable, event: Event[Message], *, publish: bool = True) -> None:
        """Decide an event as the owner of its key in one table does."""
        key = event.data.key
        before = self.row(table, key)
        try:
            decision = decide_once(before, event, table.decide)
        except UnacceptableError:
            self.set_aside.append(event)
            return
        self._save(table, key, decision.row)
        self.decisions.append(Decided(table, before, event, decision))
        for index, message in enumerate(decision.events if publish else ()):
            self.publish(Event(f"{event.id}.{index}", event.time, table.source, event.traceparent, message))

    def row(self, table: BoundTable, key: str) -> Any:
        """Return a row as it is stored, or None."""
        return self._rows.get((table.name, key))

    def rows(self, table: BoundTable) -> dict[str, Any]:
        """Return all rows of a table."""
        return {key: row for (name, key), row in self._rows.items() if name == table.name}

    def published(self, kind: type[MessageT]) -> list[MessageT]:
        """Return all messages of a kind that were published so far."""
        return [event.data for event in self.log if isinstance(event.data, kind)]

    def _save(self, table: BoundTable, key: str, row: Row | None) -> None:
        if row is None:
            self._rows.pop((table.name, key), None)
            return
        stamped = replace(row, version=row.version + 1)
        assert table.model is not None
        self._rows[table.name, key] = read_row(table.model, write_row(stamped).decode())
        assert self.row(table, key) == stamped, "a row must read as it was written"


def _decoded(record: Record) -> Event[Message]:
    return decode(record.key, record.value, record.headers)
