"""Declarations of a service's tables and topics; processors, views, documentation and audit derive from them.

A table is a changelog topic in Kafka with one owner for each partition. To add a topic to a table, add it to ``reads``:
the processor, the consumer group, the access rules, asyncapi.yaml and the audit follow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic

from schemas.base import Message
from schemas.codec import Event, Headers
from schemas.topics import Topic, TopicKind
from services.common.decisions import Decision, RowT
from services.common.telemetry.metrics import Metrics

Decider = Callable[[Any, Event[Message], Any], Decision[Any]]
"""Decides an event; takes the row (None if there is none), the event and the service's policy."""
CountDecision = Callable[[Any, Event[Message], Decision[Any]], None]
"""Updates metrics; takes the row before the decision, the event and the decision."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How expired rows are deleted.

    Attributes:
        forget: Takes the row, the time and the service's policy; returns the command that deletes the row, or None if
            the row has not expired.
        batch_size: The maximum number of commands in one round.

    """

    forget: Callable[[Any, datetime, Any], Message | None]
    batch_size: int


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT]):
    """The rows of one kind, by key.

    Attributes:
        service: The service that owns the rows.
        name: The table's name.
        model: The rows' type.
        decide: Decides each event; pure.
        reads: The topics whose events change the rows. They have the same key as the table.
        writes: The messages that the rows' owner publishes.
        tally: Returns the counter of the table's own metrics; None if it has none.
        sweep: How expired rows are deleted; None if rows do not expire.
        only: CloudEvents extension attributes of the events that concern this table, where an event has them.

    """

    service: str
    name: str
    model: type[RowT]
    decide: Decider
    reads: tuple[Topic, ...]
    writes: tuple[type[Message], ...] = ()
    tally: Callable[[Metrics], CountDecision] | None = None
    sweep: Sweep | None = None
    only: Mapping[str, str] = field(default_factory=dict, hash=False)

    def concerns(self, headers: Headers) -> bool:
        """Tell by a record's headers whether it may concern this table."""
        if not self.only:
            return True
        present = dict(headers)
        return all(present.get(f"ce_{name}", value.encode()) == value.encode() for name, value in self.only.items())

    @property
    def source(self) -> str:
        """The CloudEvents source of the owner's messages."""
        return f"{self.service}/{self.name}"

    @property
    def changelog(self) -> Topic:
        """The topic of the rows."""
        return Topic(f"{self.service}-{self.name}-changelog", TopicKind.CHANGELOG, "the table's key", None)


@dataclass(frozen=True, slots=True)
class Relay:
    """Forwards events under another key, where the translation needs no row.

    A relay has no state: it forwards a redelivered event again under the same ids.

    Attributes:
        service: The service that forwards the events.
        name: The relay's name, part of the CloudEvents source.
        translate: Returns the messages to publish for an event; pure.
        reads: The topics whose events it forwards.
        writes: The messages that it publishes.

    """

    service: str
    name: str
    translate: Callable[[Event[Message]], tuple[Message, ...]]
    reads: tuple[Topic, ...]
    writes: tuple[type[Message], ...]

    @property
    def source(self) -> str:
        """The CloudEvents source of the relay's messages."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class ServiceTopology:
    """Everything that a service reads and writes in Kafka.

    Attributes:
        service: The name of the service and of its consumer group.
        tables: Its tables.
        relays: Its relays.
        commands: The topics to which its web side writes commands for its own tables.
        web_writes: Further messages that its web side publishes.
        group_reads: The topics that it reads with separate consumer groups.
        observes: The topics of which each instance reads all partitions, without deciding.

    """

    service: str
    tables: tuple[Table[Any], ...]
    relays: tuple[Relay, ...] = ()
    commands: tuple[Topic, ...] = ()
    web_writes: tuple[type[Message], ...] = ()
    group_reads: tuple[Topic, ...] = ()
    observes: tuple[Topic, ...] = ()

    @property
    def stream_reads(self) -> tuple[Topic, ...]:
        """The topics that its processors read."""
        return _distinct(topic for each in self._deciding for topic in each.reads)

    @property
    def consumes(self) -> tuple[Topic, ...]:
        """The topics whose records it must process or dead-letter; each has a dead-letter topic."""
        return _distinct((*self.stream_reads, *self.group_reads))

    @property
    def dead_letters(self) -> tuple[Topic, ...]:
        """The topics of its dead letters."""
        return tuple(topic.dead_letter for topic in self.consumes)

    @property
    def groups(self) -> Mapping[str, tuple[Topic, ...]]:
        """The topics by consumer group; the processors' group has the service's name."""
        return {self.service: self.stream_reads, **{own_group(topic): (topic,) for topic in self.group_reads}}

    @property
    def reads(self) -> tuple[Topic, ...]:
        """All topics that it reads, except its changelogs."""
        return _distinct((*self.consumes, *self.observes))

    @property
    def writes(self) -> tuple[Topic, ...]:
        """All topics that it writes, except its changelogs and dead-letter topics."""
        messages = (*(message for each in self._deciding for message in each.writes), *self.web_writes)
        return _distinct((*self.commands, *(message.topic for message in messages)))

    @property
    def _deciding(self) -> tuple[Table[Any] | Relay, ...]:
        return (*self.tables, *self.relays)

    @property
    def changelogs(self) -> tuple[Topic, ...]:
        """The topics of its rows."""
        return tuple(table.changelog for table in self.tables)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """All its topics."""
        return _distinct((*self.reads, *self.writes, *self.changelogs, *self.dead_letters))


def own_group(topic: Topic) -> str:
    """Return the name of a topic's separate consumer group."""
    return topic.name.replace(".", "-")


def _distinct(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys(topics))
