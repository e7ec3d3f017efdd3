"""Encodes messages as Kafka records and decodes them: JSON values, CloudEvents headers, W3C trace context.

Sources: CloudEvents 1.0 Kafka protocol binding, section 3.2 (binary content mode); W3C Trace Context, section 3.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field, StringConstraints, ValidationError

from schemas import (
    contract,
    login_messages,
    pairing_messages,
    push_messages,
)
from schemas.base import Message, Model, Moment, Text

Headers = list[tuple[str, bytes]]
MessageT_co = TypeVar("MessageT_co", bound=Message, covariant=True)
SPEC_VERSION: Final = "1.0"
LOGGED_CHARACTERS: Final = 100
MOST_AHEAD_SECONDS: Final = 60
"""How far a sender's clock may be ahead of Kafka's."""
_MODULES: Final = (
    contract,
    login_messages,
    pairing_messages,
    push_messages,
)
TYPES: Final[dict[str, type[Message]]] = {
    model.type: model
    for module in _MODULES
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Message) and "type" in vars(model)
}
"""Every message type by its CloudEvents type."""


class _Envelope(Model):
    """The required headers. The id identifies an event, so it must not be missing."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(alias="ce_id")
    time: Moment = Field(alias="ce_time")
    source: Text = Field(alias="ce_source")
    traceparent: Text = ""


class UndecodableError(ValueError):
    """A record that is not a valid message: missing headers, an unknown type, or a body that violates its schema."""


@dataclass(frozen=True, slots=True)
class Event(Generic[MessageT_co]):
    """A message with its envelope.

    Attributes:
        id: Unique among all events; a redelivered event has the same id.
        time: When it happened, by the sender's clock; from a log, not after Kafka appended it.
        source: The service and table that decided it, the relay that forwarded it, or the web side that sent it.
        traceparent: Its W3C trace context, or an empty string.
        data: The message.

    """

    id: str
    time: datetime
    source: str
    traceparent: str
    data: MessageT_co


@dataclass(frozen=True, slots=True)
class Record:
    """An encoded event.

    Attributes:
        topic: The topic's name without the deployment's prefix.
        key: The message's key in UTF-8; None only in a dead letter without a key.
        value: The message as UTF-8 JSON; None only in a dead letter without a value.
        headers: CloudEvents attributes, and ``traceparent`` if there is one.

    """

    topic: str
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Headers


def encode(event: Event[Message]) -> Record:
    """Encode an event as a record."""
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", event.id.encode()),
        ("ce_type", event.data.type.encode()),
        ("ce_source", event.source.encode()),
        ("ce_time", event.time.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
    headers.extend((f"ce_{name}", value.encode()) for name, value in event.data.extensions.items())
    if event.traceparent:
        headers.append(("traceparent", event.traceparent.encode()))
    value = event.data.model_dump_json().encode()
    return Record(event.data.topic.name, event.data.key.encode(), value, headers)


def decode(
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes | None]],
    timestamp: int | None = None,
) -> Event[Message]:
    """Decode a record.

    Args:
        key: The record's key.
        value: The record's value.
        headers: The record's headers; Kafka allows a header without a value.
        timestamp: When Kafka appended it, Unix time in milliseconds; None if it is not from a log.

    Raises:
        UndecodableError: If it is not a valid message, or its time is over a minute after Kafka appended it; the text
            says why and contains nothing of the body.

    """
    try:
        attributes = {name: content.decode() for name, content in headers if content is not None}
        model = TYPES[attributes["ce_type"]]
        envelope = _Envelope.model_validate(attributes)
        data = model.model_validate_json(value or b"")
    except KeyError as error:
        text = f"unknown type, or none: {error.args[0][:LOGGED_CHARACTERS]}"
        raise UndecodableError(text) from None
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors())
        text = f"does not fit {attributes['ce_type']}: {fields}"
        raise UndecodableError(text) from None
    except UnicodeDecodeError:
        text = "a header is not UTF-8"
        raise UndecodableError(text) from None
    if any(attributes.get(f"ce_{name}", value) != value for name, value in data.extensions.items()):
        text = "an extension attribute is not the message's"
        raise UndecodableError(text)
    if (key or b"") != data.key.encode():
        text = "the record's key is not the message's"
        raise UndecodableError(text)
    at = envelope.time if timestamp is None else _not_after(envelope.time, timestamp)
    return Event(envelope.id, at, envelope.source, envelope.traceparent, data)


def _not_after(time: datetime, timestamp: int) -> datetime:
    """Return a time, or the end of the millisecond in which Kafka appended the record, if that was earlier.

    A sender's clock may be ahead: the row of a key would wait for that time with the events of all other senders.

    Raises:
        UndecodableError: If the time is more than a minute later.

    """
    appended_at = datetime.fromtimestamp(timestamp / 1000, UTC) + timedelta(milliseconds=1)
    if time > appended_at + timedelta(seconds=MOST_AHEAD_SECONDS):
        text = (
            f"its time is {(time - appended_at).total_seconds():.0f} s after Kafka appended it: whose clock is wrong?"
        )
        raise UndecodableError(text)
    return min(time, appended_at)
