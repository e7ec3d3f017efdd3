"""Decisions and their idempotency: a redelivered event leads to the same row and the same messages.

Kafka delivers at least once: after a crash, it redelivers the events since the last commit. A row remembers the recent
events that it applied, and the messages that the last event of each topic published. The owner handles the events of a
key one after the other; it saves the row, then publishes. So a crash can lose only the messages of the last event of a
topic. Its redelivery publishes them again under the same ids. docs/adr/0003-save-then-publish.md explains the order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from schemas.base import Message, Moment
from schemas.codec import TYPES, Event

REMEMBERED_EVENTS: Final = 32
REMEMBERED_SECONDS: Final = 600
OK: Final = "ok"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedEvent:
    """An event that a row has applied.

    Attributes:
        event_id: The event's id.
        at: The event's time.
        outcome: ``ok`` or the rejection; the web side waits for it.

    """

    event_id: str
    at: Moment
    outcome: str


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
    """A table's row. Epoch and version come first in its JSON, so that readers compare them without parsing the rest.

    Attributes:
        version: The number of writes.
        processed: The recent events, oldest first.
        last_outputs: One entry for each topic whose last event published messages.

    """

    version: int = 0
    processed: tuple[ProcessedEvent, ...] = ()
    last_outputs: tuple[LastOutput, ...] = ()

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
        For a redelivered event: the unchanged row, and the messages that a crash may have kept from Kafka.

    """
    before = row or Row()
    outcome = before.outcome_of(event.id)
    if outcome is not None:
        outputs = next((each.outputs for each in before.last_outputs if each.event_id == event.id), ())
        return Decision(row, tuple(each.message() for each in outputs), outcome, repeated=True)
    decision = decide(row, event)
    if decision.row is None:
        return decision
    cutoff = event.time - timedelta(seconds=REMEMBERED_SECONDS)
    recent = tuple(each for each in before.processed if each.at >= cutoff)[1 - REMEMBERED_EVENTS :]
    new_row = replace(
        decision.row,
        version=before.version + 1,
        processed=(*recent, ProcessedEvent(event_id=event.id, at=event.time, outcome=decision.outcome)),
        last_outputs=_last_outputs(before.last_outputs, recent, event, decision.events),
    )
    return Decision(new_row, decision.events, decision.outcome)


def _last_outputs(
    before: tuple[LastOutput, ...],
    recent: tuple[ProcessedEvent, ...],
    event: Event[Message],
    messages: tuple[Message, ...],
) -> tuple[LastOutput, ...]:
    """Return the outputs of each topic's last event. Topics advance independently, so each needs an entry."""
    topic = event.data.topic.name
    recent_ids = {each.event_id for each in recent}
    others = tuple(each for each in before if each.topic != topic and each.event_id in recent_ids)
    outputs = tuple(OutputMessage.of(message) for message in messages)
    return (*others, LastOutput(topic=topic, event_id=event.id, outputs=outputs)) if outputs else others
