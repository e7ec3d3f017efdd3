"""Decisions and their idempotency: a redelivered event leads to the same row and the same messages.

Kafka delivers at least once: after a crash, it redelivers the events since the last commit, and an operator may have a
group read from any earlier place. A row remembers the last events of each topic that it applied, and the messages that
the very last one published. The owner handles the events of a key one after the other; it saves the row, then
publishes. So a crash can lose only the messages of the last event of a topic. Its redelivery publishes them again under
the same ids. docs/adr/0003-save-then-publish.md explains the order.

Of what it forgets, a row keeps the time of the newest event. An event that the row does not remember and that is not
newer has been decided before: it is outdated, and changes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Generic, NamedTuple, Self, TypeVar

from pydantic import Field

from schemas.base import Message, Moment
from schemas.codec import TYPES, Event
from schemas.topics import Topic, TopicKind

REMEMBERED_COMMANDS: Final = 12
"""Of each topic of commands, whose outcomes web sides wait for."""
REMEMBERED_EVENTS: Final = 8
"""Of each other topic."""
OK: Final = "ok"
OUTDATED: Final = "outdated"
"""The outcome of an event that is not newer than one of its topic that the row has forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMessage:
    """A published message, as the row stores it."""

    type: str
    data: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> "OutputMessage":
        """Return the stored form of a message."""
        return cls(type=message.type, data=message.model_dump(mode="json"))

    def message(self) -> Message:
        """Return the message."""
        return TYPES[self.type].model_validate(self.data)


class ProcessedEvent(NamedTuple):
    """An event that a row has applied; in the row's JSON an array.

    Attributes:
        event_id: The event's id.
        topic: The name of its topic.
        at: The event's time.
        outcome: ``ok`` or the rejection; the web side waits for it.

    """

    event_id: str
    topic: str
    at: Moment
    outcome: str


class ForgottenUntil(NamedTuple):
    """The time of the newest event of a topic that a row has applied and forgotten; in the row's JSON an array."""

    topic: str
    at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LastOutput:
    """The messages that the last event of a topic published.

    Attributes:
        topic: The topic's name.
        event_id: The event's id.
        outputs: The messages, which a crash may have kept from Kafka.

    """

    topic: str
    event_id: str
    outputs: tuple[OutputMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table's row.

    Attributes:
        version: The number of writes.
        processed: The recent events of all topics, in the order in which they were applied.
        forgotten: One entry for each topic of which it has forgotten events.
        last_outputs: One entry for each topic whose last event published messages.
        unknown: What a newer release wrote into it (services.common.rows.unknown_parts).

    """

    version: int = 0
    processed: tuple[ProcessedEvent, ...] = ()
    forgotten: tuple[ForgottenUntil, ...] = ()
    last_outputs: tuple[LastOutput, ...] = ()
    unknown: Annotated[tuple[Any, ...], Field(exclude=True)] = ()

    def parts(self) -> Sequence[tuple[str, Any]]:
        """Return the parts that have changed with this row, by name, as values that are written beside it.

        A part is what pages show and no decision needs, such as an entry of a history: it would make each write of the
        row larger. None removes it.
        """
        return ()

    def settled(self) -> Self:
        """Return the row as it is stored, without its parts."""
        return self

    def outcome_of(self, event_id: str) -> str | None:
        """Return an event's outcome, or None if this row does not remember the event."""
        return next((each.outcome for each in reversed(self.processed) if each.event_id == event_id), None)


RowT = TypeVar("RowT", bound=Row)


class UnacceptableError(ValueError):
    """A well-formed event that cannot be true, for example a forged one; it becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[RowT]):
    """The result of an event.

    Attributes:
        row: The new row; None if there is none or it was deleted.
        events: The messages to publish, in order.
        outcome: ``ok`` or the rejection.
        repeated: True if the row already remembered the event. Comparisons of decisions ignore this field.

    """

    row: RowT | None
    events: tuple[Message, ...] = ()
    outcome: str = OK
    repeated: bool = field(default=False, compare=False)


def decide_once(
    row: RowT | None, event: Event[Message], decide: Callable[[RowT | None, Event[Message]], Decision[RowT]]
) -> Decision[RowT]:
    """Decide an event once: a redelivered event does not change the row.

    Args:
        row: The row of the event's key, or None.
        event: The event.
        decide: The decider; pure.

    Returns:
        For a new event: the decision, whose row remembers the event. A row that the decider recreated keeps the events
        that the key's previous row remembered.
        For a redelivered event: the unchanged row, and the messages that a crash may have kept from Kafka; none for an
        outdated one.

    """
    before = row or Row()
    outcome = before.outcome_of(event.id)
    if outcome is not None:
        outputs = next((each.outputs for each in before.last_outputs if each.event_id == event.id), ())
        return Decision(row, tuple(each.message() for each in outputs), outcome, repeated=True)
    if any(each.topic == event.data.topic.name and event.time <= each.at for each in before.forgotten):
        return Decision(row, (), OUTDATED, repeated=True)
    decision = decide(row, event)
    if decision.row is None:
        return decision
    processed, forgotten = _remember(before, event, decision.outcome)
    new_row = replace(
        decision.row,
        version=before.version + 1,
        processed=processed,
        forgotten=forgotten,
        last_outputs=_last_outputs(before.last_outputs, event, decision.events),
    )
    return Decision(new_row, decision.events, decision.outcome)


def remembered(topic: Topic) -> int:
    """Return how many events of a topic a row remembers."""
    return REMEMBERED_COMMANDS if topic.kind is TopicKind.COMMAND else REMEMBERED_EVENTS


def _remember(
    before: Row, event: Event[Message], outcome: str
) -> tuple[tuple[ProcessedEvent, ...], tuple[ForgottenUntil, ...]]:
    """Return what is remembered and what is forgotten after an event; only its own topic forgets."""
    topic = event.data.topic
    processed = (*before.processed, ProcessedEvent(event.id, topic.name, event.time, outcome))
    same = [each for each in processed if each.topic == topic.name]
    dropped = same[: -remembered(topic)]
    if not dropped:
        return processed, before.forgotten
    times = [each.at for each in dropped] + [each.at for each in before.forgotten if each.topic == topic.name]
    others = tuple(each for each in before.forgotten if each.topic != topic.name)
    kept = tuple(each for each in processed if each not in dropped)
    return kept, (*others, ForgottenUntil(topic.name, max(times)))


def _last_outputs(
    before: tuple[LastOutput, ...], event: Event[Message], messages: tuple[Message, ...]
) -> tuple[LastOutput, ...]:
    """Return the outputs of each topic's last event. Topics advance independently, so each needs an entry."""
    topic = event.data.topic.name
    others = tuple(each for each in before if each.topic != topic)
    outputs = tuple(OutputMessage.of(message) for message in messages)
    return (*others, LastOutput(topic=topic, event_id=event.id, outputs=outputs)) if outputs else others
