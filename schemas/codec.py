"""Messages to Kafka records and back: JSON values, CloudEvents headers, W3C trace context.

Sources: CloudEvents 1.0 Kafka protocol binding, section 3.2 (binary content mode); W3C Trace Context, section 3.2.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from schemas import contract, login_commands, pairing_commands, push_commands
from schemas.base import Message

Headers = list[tuple[str, bytes]]
MessageT_co = TypeVar("MessageT_co", bound=Message, covariant=True)
SPEC_VERSION: Final = "1.0"
_MODULES: Final = (contract, login_commands, pairing_commands, push_commands)
TYPES: Final[dict[str, type[Message]]] = {
    model.type: model
    for module in _MODULES
    for model in vars(module).values()
    if isinstance(model, type) and issubclass(model, Message) and "type" in vars(model)
}
"""Every message type by its CloudEvents type."""
_TIME: Final[TypeAdapter[datetime]] = TypeAdapter(AwareDatetime)


class UndecodableError(ValueError):
    """A record that is not a message of ours: missing headers, unknown type, or a body that does not fit its model."""


@dataclass(frozen=True, slots=True)
class Event(Generic[MessageT_co]):
    """A message with what the envelope says of it.

    Attributes:
        id: Unique over all events; a repeated event has the same id.
        time: When it happened.
        source: Which service and table decided it, or which web side asked.
        traceparent: The W3C trace context it belongs to, or an empty string.
        data: The message.

    """

    id: str
    time: datetime
    source: str
    traceparent: str
    data: MessageT_co


@dataclass(frozen=True, slots=True)
class Record:
    """What Kafka carries of an event.

    Attributes:
        topic: The topic's name without the deployment's prefix.
        key: UTF-8 bytes of the message's key; None only in a dead letter that came so.
        value: The message as UTF-8 JSON; None only in a dead letter that came so.
        headers: CloudEvents attributes, and ``traceparent`` where there is one.

    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def encode(event: Event[Message]) -> Record:
    """Turn an event into the record that carries it."""
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", event.id.encode()),
        ("ce_type", event.data.type.encode()),
        ("ce_source", event.source.encode()),
        ("ce_time", event.time.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
    if event.traceparent:
        headers.append(("traceparent", event.traceparent.encode()))
    value = event.data.model_dump_json().encode()
    return Record(event.data.topic.name, event.data.key.encode(), value, headers)


def decode(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Event[Message]:
    """Turn a record back into its event.

    Args:
        key: The record's key.
        value: The record's value.
        headers: The record's headers.

    Raises:
        UndecodableError: If it is not a message of ours; its text says why and holds nothing of the body.

    """
    try:
        attributes = {name: content.decode() for name, content in headers}
        model = TYPES[attributes["ce_type"]]
        data = model.model_validate_json(value or b"")
        time = _TIME.validate_python(attributes["ce_time"])
        event = Event(attributes["ce_id"], time, attributes["ce_source"], attributes.get("traceparent", ""), data)
    except KeyError as error:
        text = f"unknown type or missing header: {error.args[0]}"
        raise UndecodableError(text) from None
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in error.errors())
        text = f"does not fit {attributes['ce_type']}: {fields}"
        raise UndecodableError(text) from None
    except UnicodeDecodeError:
        text = "a header is not UTF-8"
        raise UndecodableError(text) from None
    if (key or b"") != data.key.encode():
        text = "the record's key is not the message's"
        raise UndecodableError(text)
    return event
