"""What a decision is, and how a repeated event decides the same again.

Kafka delivers at least once: after a crash, the events since the last commit come again. A row remembers the recent
events that it applied, and what the last of each topic produced. An owner saves the row first and then publishes, one
event of a key after the other; so a crash may have swallowed what the last event of a topic led to, and its repeat
publishes that again under the same ids. Why in this order: docs/adr/0003-save-then-publish.md.
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
    """A message that a decision published, as the row remembers it."""

    type: str
    data: dict[str, Any]

    @classmethod
    def of(cls, message: Message) -> "OutputMessage":
        """Keep a message."""
        return cls(type=message.type, data=message.model_dump(mode="json"))

    def message(self) -> Message:
        """Return the message again."""
        return TYPES[self.type].model_validate(self.data)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessedEvent:
    """An event that a row has applied.

    Attributes:
        event_id: The event.
        at: Its time.
        outcome: ``ok``, or why it was refused; the web side that asked waits for this.

    """

    event_id: str
    at: Moment
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LastOutput:
    """The last event of a topic, and what it published.

    Attributes:
        topic: The topic's name.
        event_id: The event.
        outputs: What a crash may have swallowed.

    """

    topic: str
    event_id: str
    outputs: tuple[OutputMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A table's row. The first two fields come first in its JSON: readers compare them without parsing the rest.

    Attributes:
        epoch: The consumer group's generation that wrote it; a writer that has lost the partition has a lower one.
        version: Counts the writes.
        processed: The recent events, oldest first.
        last_outputs: The last of each topic, where it published anything.

    """

    epoch: int = 0
    version: int = 0
    processed: tuple[ProcessedEvent, ...] = ()
    last_outputs: tuple[LastOutput, ...] = ()

    def outcome_of(self, event_id: str) -> str | None:
        """Return how an event ended here, or None if this row does not remember it."""
        return next((each.outcome for each in reversed(self.processed) if each.event_id == event_id), None)


RowT = TypeVar("RowT", bound=Row)


class UnacceptableError(ValueError):
    """An event that is well-formed and yet cannot be true, such as a forged one; it is set aside."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[RowT]):
    """What an event leads to.

    Attributes:
        row: The row afterwards; None where there is none, or none any more.
        events: The messages to publish, in order.
        outcome: ``ok``, or a refusal.
        repeated: True if the row knew the event already. It says how the decision came about and nothing of what it is,
            so two decisions can be equal that differ in it.

    """

    row: RowT | None
    events: tuple[Message, ...] = ()
    outcome: str = OK
    repeated: bool = field(default=False, compare=False)


def decide_once(
    row: RowT | None, event: Event[Message], decide: Callable[[RowT | None, Event[Message]], Decision[RowT]]
) -> Decision[RowT]:
    """Decide an event, unless the row has applied it already.

    Args:
        row: The row of the event's key, or None.
        event: The event.
        decide: The rule; pure.

    Returns:
        The decision, its row remembering the event; a row that a rule made anew remembers what its key's last row did.
        For an event that was applied before: the row as it is, and the messages that may have been swallowed.

    """
    before = row or Row()
    known = before.outcome_of(event.id)
    if known is not None:
        swallowed = next((each.outputs for each in before.last_outputs if each.event_id == event.id), ())
        return Decision(row, tuple(each.message() for each in swallowed), known, repeated=True)
    decision = decide(row, event)
    if decision.row is None:
        return decision
    oldest = event.time - timedelta(seconds=REMEMBERED_SECONDS)
    recent = tuple(each for each in before.processed if each.at >= oldest)[1 - REMEMBERED_EVENTS :]
    remembering = replace(
        decision.row,
        epoch=before.epoch,
        version=before.version,
        processed=(*recent, ProcessedEvent(event_id=event.id, at=event.time, outcome=decision.outcome)),
        last_outputs=_last_outputs(before.last_outputs, recent, event, decision.events),
    )
    return Decision(remembering, decision.events, decision.outcome)


def _last_outputs(
    before: tuple[LastOutput, ...],
    recent: tuple[ProcessedEvent, ...],
    event: Event[Message],
    messages: tuple[Message, ...],
) -> tuple[LastOutput, ...]:
    """Return the last event of each topic: each topic is read on for itself, so the last of all may not come first."""
    topic = event.data.topic.name
    remembered = {each.event_id for each in recent}
    others = tuple(each for each in before if each.topic != topic and each.event_id in remembered)
    produced = tuple(OutputMessage.of(message) for message in messages)
    return (*others, LastOutput(topic=topic, event_id=event.id, outputs=produced)) if produced else others
