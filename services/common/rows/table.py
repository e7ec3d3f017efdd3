"""A service's tables and topics, declared. What runs, reads, writes, is documented and audited follows from this.

A table is a changelog topic in Kafka with one owner for each partition. Adding a topic to a table is one word in its
``reads``: the processor, the consumer group, the access rules, asyncapi.yaml and the audit follow.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic

from schemas.base import Message
from schemas.codec import Event
from schemas.topics import Topic, TopicKind
from services.common.decisions import Decision, RowT
from services.common.telemetry.metrics import Metrics

Decider = Callable[[Any, Event[Message], Any], Decision[Any]]
"""Decides an event: by the row (None if there is none), the event and the service's policy."""
CountDecision = Callable[[Any, Event[Message], Decision[Any]], None]
"""Counts what a decision means: by the row before, the event and the decision."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """How rows that are of no use any more are forgotten.

    Attributes:
        forget: Returns the command that forgets a row, or None if the row is still of use: by the row, the time and
            the service's policy.
        most_at_once: How many commands are given in one round.

    """

    forget: Callable[[Any, datetime, Any], Message | None]
    most_at_once: int


@dataclass(frozen=True, slots=True)
class Table(Generic[RowT]):
    """The rows of one kind, by key.

    Attributes:
        service: The service that owns them.
        name: The table's name.
        model: The rows' type.
        decide: Decides each event; pure.
        reads: The topics whose events change the rows. All have the same key as the table.
        writes: The messages that the rows' owner publishes.
        tally: Makes what counts the decisions beyond what is counted of all; None for nothing more.
        sweep: How rows are forgotten; None if they are kept.

    """

    service: str
    name: str
    model: type[RowT]
    decide: Decider
    reads: tuple[Topic, ...]
    writes: tuple[type[Message], ...] = ()
    tally: Callable[[Metrics], CountDecision] | None = None
    sweep: Sweep | None = None

    @property
    def source(self) -> str:
        """The CloudEvents source of what the rows' owner publishes."""
        return f"{self.service}/{self.name}"

    @property
    def changelog(self) -> Topic:
        """The topic that holds the rows, named as Faust names it."""
        return Topic(f"{self.service}-{self.name}-changelog", TopicKind.CHANGELOG, "the table's key", None)


@dataclass(frozen=True, slots=True)
class Relay:
    """Passes events on under another key, where no row is needed to know what to say.

    It keeps nothing: a repeated event is passed on again, under the same ids.

    Attributes:
        service: The service that passes them on.
        name: The relay's name; stands in the source of what it publishes.
        translate: Returns what to publish for an event; pure.
        reads: The topics whose events are passed on.
        writes: The messages that are published.

    """

    service: str
    name: str
    translate: Callable[[Event[Message]], tuple[Message, ...]]
    reads: tuple[Topic, ...]
    writes: tuple[type[Message], ...]

    @property
    def source(self) -> str:
        """The CloudEvents source of what the relay publishes."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class ServiceTopology:
    """All that a service reads and writes in Kafka.

    Attributes:
        service: The service's name, and its consumer group's.
        tables: Its tables.
        relays: Its relays.
        commands: The topics that its web side writes to, for its own tables.
        web_writes: The messages that its web side publishes as well as, or instead of, a table's owner.
        group_reads: The topics that it reads in a consumer group of its own beside its tables.
        observes: The topics that each instance reads whole, deciding nothing.

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
        """The topics whose records it must use or set aside: each has a dead-letter topic."""
        return _distinct((*self.stream_reads, *self.group_reads))

    @property
    def dead_letters(self) -> tuple[Topic, ...]:
        """The topics of the records that it could not use."""
        return tuple(topic.dead_letter for topic in self.consumes)

    @property
    def groups(self) -> Mapping[str, tuple[Topic, ...]]:
        """The topics that each of its consumer groups reads; the processors' has the service's name."""
        return {self.service: self.stream_reads, **{own_group(topic): (topic,) for topic in self.group_reads}}

    @property
    def reads(self) -> tuple[Topic, ...]:
        """All topics that it reads, but for its changelogs."""
        return _distinct((*self.consumes, *self.observes))

    @property
    def writes(self) -> tuple[Topic, ...]:
        """All topics that it writes, but for its changelogs and dead letters."""
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
    """Return the name of the consumer group that reads a topic beside the tables."""
    return topic.name.replace(".", "-")


def _distinct(topics: Iterable[Topic]) -> tuple[Topic, ...]:
    return tuple(dict.fromkeys(topics))
