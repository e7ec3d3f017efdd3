"""Kafka and all three services in memory, as the declared tables have them: by topic, by key, one record at a time.

A topic's records are read, in order, by each table and relay that declares the topic. Topics of one table pass each
other freely, as partitions of different topics do. Records are encoded and decoded, and rows are stored as JSON.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from operations.audit.bound_table import BoundTable
from operations.audit.policies import Policies
from schemas.base import Message
from schemas.codec import Event, Record, decode, encode
from schemas.login_messages import AdministratorCommand
from services.common.decisions import Decision, Row, UnacceptableError, decide_once
from services.common.rows.codec import read_row, write_row
from services.common.rows.table import Table
from tests.builders import T0, an_agreement_key, pairing_policy, policy
from tests.rows import as_seen

MessageT = TypeVar("MessageT", bound=Message)
POLICIES: Final = Policies(policy(), pairing_policy(), frozenset({an_agreement_key("login service").key_id}))
TABLES: Final = POLICIES.tables()
"""All tables, and all relays: a relay is a table without rows."""
CHANGELOGS: Final = {each.name: each for each in TABLES if each.model is not None}
"""The tables that have rows, by name."""
ACCOUNTS, GUESSES, REQUESTERS, PHRASES, CHANNELS = CHANGELOGS.values()


@dataclass(frozen=True, slots=True)
class Reader:
    """A table or relay that reads a topic, at its own pace."""

    topic: str
    table: BoundTable


READERS: Final = {
    f"{table.name} of {topic.name}": Reader(topic.name, table) for table in TABLES for topic in table.reads
}
"""By a name that tells both."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: by which table, on which row, of which event, and what it is."""

    table: BoundTable
    before: Any
    event: Event[Message]
    decision: Decision[Any]

    @property
    def row(self) -> Any:
        """The row afterwards."""
        return self.decision.row


class MemoryKafka:
    """Topics, rows and the time.

    Attributes:
        policies: What the services decide with.
        now: The time by every clock.
        commands: The events that did not follow from others, in order.
        log: Every event that was published, in order; repeats are in it again.
        decisions: Every decision, in order.
        dead_letters: The events that became dead letters.

    """

    def __init__(self, policies: Policies = POLICIES) -> None:
        self.policies = policies
        self.now: datetime = T0
        self.commands: list[Event[Message]] = []
        self.log: list[Event[Message]] = []
        self.decisions: list[Decided] = []
        self.dead_letters: list[Event[Message]] = []
        self._bound = {table: table for table in policies.tables()}
        self._rows: dict[tuple[str, str], Any] = {}
        self._queues: dict[Reader, deque[Record]] = {reader: deque() for reader in READERS.values()}
        self._done: dict[Reader, list[Record]] = {reader: [] for reader in READERS.values()}

    def command(self, message: Message, event_id: str | None = None) -> Event[Message]:
        """Publish a message that follows from no other, such as a web side's command, and return its event."""
        event = self.draw(message, event_id)
        self.publish(event)
        return event

    def draw(self, message: Message, event_id: str | None = None) -> Event[Message]:
        """Return a message that is given now, in its envelope, by default under a new id; it is published later.

        An administrator gives a command on the account as it stands. The next command is a microsecond later.
        """
        if isinstance(message, AdministratorCommand):
            message = as_seen(self.row(ACCOUNTS, message.account_id), message)
        event = Event(event_id or f"e{len(self.commands) + 1}", self.now, "test", "", message)
        self.commands.append(event)
        self.pass_time(1e-6)
        return event

    def publish(self, event: Event[Message]) -> None:
        """Publish an event; one that was published before is a repeat."""
        self.log.append(event)
        record = encode(event)
        for reader, queue in self._queues.items():
            if reader.topic == record.topic:
                queue.append(record)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def waiting(self) -> list[Reader]:
        """Return the readers that have something to read."""
        return [reader for reader, queue in self._queues.items() if queue]

    def count_waiting(self, reader: Reader) -> int:
        """Return how many records a reader has yet to read."""
        return len(self._queues[reader])

    def step(self, reader: Reader) -> None:
        """Decide a reader's next record."""
        record = self._queues[reader].popleft()
        self._done[reader].append(record)
        self._decide(reader.table, _decoded(record))

    def settle(self, order: Sequence[int] = (0,)) -> None:
        """Decide all that waits, the readers in any order."""
        turn = 0
        while waiting := self.waiting():
            self.step(waiting[order[turn % len(order)] % len(waiting)])
            turn += 1

    def crash(self, reader: Reader) -> None:
        """Decide the next record as far as saving the row; the instance dies there, and the record comes again."""
        self._decide(reader.table, _decoded(self._queues[reader][0]), publish=False)

    def redeliver(self, reader: Reader, count: int) -> None:
        """Let a reader's last records come again, as long as their rows are there."""
        for record in reversed(self._done[reader][-count:]):
            if self.row(reader.table, _decoded(record).data.key) is None:
                return
            self._queues[reader].appendleft(self._done[reader].pop())

    def decide(self, table: BoundTable, row: Any, event: Event[Message]) -> Decision[Any]:
        """Return what a table decides of an event on a row; nothing is saved or published.

        Raises:
            UnacceptableError: If the event cannot be true.

        """
        decision = decide_once(row, event, self._bound[table].decide)
        assert {type(message) for message in decision.events} <= {*table.writes}, "a message that is not declared"
        return decision

    def row(self, table: BoundTable, key: str) -> Any:
        """Return a row as it is stored, or None."""
        return self._rows.get((table.name, key))

    def rows(self, table: BoundTable) -> dict[str, Any]:
        """Return all rows of a table by key."""
        return {key: row for (name, key), row in self._rows.items() if name == table.name}

    def published(self, kind: type[MessageT]) -> list[MessageT]:
        """Return all messages of a kind that were published so far."""
        return [event.data for event in self.log if isinstance(event.data, kind)]

    def sweep(self) -> None:
        """Give the commands that forget what is of no use any more."""
        for table, bound in self._bound.items():
            declared = table.declared
            if isinstance(declared, Table) and declared.sweep is not None:
                for row in self.rows(table).values():
                    command = declared.sweep.forget(row, self.now, bound.policy)
                    if command is not None:
                        self.command(command)

    def _decide(self, table: BoundTable, event: Event[Message], *, publish: bool = True) -> None:
        before = self.row(table, event.data.key)
        try:
            decision = self.decide(table, before, event)
        except UnacceptableError:
            self.dead_letters.append(event)
            return
        if not decision.repeated:
            self._save(table, event.data.key, decision.row)
        self.decisions.append(Decided(table, before, event, decision))
        for index, message in enumerate(decision.events if publish else ()):
            self.publish(Event(f"{event.id}.{index}", event.time, table.source, event.traceparent, message))

    def _save(self, table: BoundTable, key: str, row: Row | None) -> None:
        if row is None:
            self._rows.pop((table.name, key), None)
            return
        assert table.model is not None
        self._rows[table.name, key] = read_row(table.model, write_row(row).decode())
        assert self.row(table, key) == row.settled(), "a row must read as it was written"


def _decoded(record: Record) -> Event[Message]:
    return decode(record.key, record.value, record.headers)
