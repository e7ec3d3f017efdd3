"""Generates the AsyncAPI document of the topics from their declarations and the messages.

Source: AsyncAPI 3.0.0; its Kafka bindings 0.5.0.
"""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from operations.deployment import EVENTS, readers, writers
from schemas.base import Message
from schemas.codec import SPEC_VERSION, TYPES
from schemas.topics import CONTRACT, Topic

_MILLISECONDS: Final = 1000
_DESCRIPTION: Final = (
    "The messages between Countersign's services in Apache Kafka. pairing.requested, device.paired, auth.challenge and "
    "auth.response are the public contract; the other topics are internal and may change. Values are JSON; headers are "
    "CloudEvents attributes (Kafka protocol binding 1.0, binary content mode) and a W3C traceparent. A record's key "
    "determines its partition, and so the instance that decides. Readers ignore unknown fields. A deployment may set a "
    "prefix of the topics' names. Dead letters go to the topic's name with the suffix .dlq, with the reason in the "
    "headers."
)


def document() -> dict[str, Any]:
    """Return the document as JSON data."""
    models: list[type[BaseModel]] = [*TYPES.values()]
    references, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Countersign", "version": "1.0.0", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in EVENTS},
        "operations": {
            f"{service}.{action}.{topic.name}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic.name}"},
                "summary": f"The {service} service {'publishes' if action == 'send' else 'reads'} these.",
            }
            for topic in EVENTS
            for action, services in (("send", writers(topic)), ("receive", readers(topic)))
            for service in services
        },
        "components": {
            "messages": {model.__name__: _message(model, references[model, "validation"]) for model in TYPES.values()},
            "messageTraits": {"cloudEvent": {"headers": _HEADERS}},
            "schemas": definitions["$defs"],
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    retention = topic.retention_seconds or 0
    contract = "Part of the public contract. " if topic in CONTRACT else ""
    return {
        "address": topic.name,
        "description": f"{contract}Key: {topic.key}.",
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in TYPES.values()
            if model.topic is topic
        },
        "bindings": {
            "kafka": {
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": retention * _MILLISECONDS},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(model: type[Message], payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": model.type,
        "summary": (model.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "bindings": {"kafka": {"key": {"type": "string", "description": model.topic.key}, "bindingVersion": "0.5.0"}},
        "payload": payload,
    }


_HEADERS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time"],
    "properties": {
        "ce_specversion": {"const": SPEC_VERSION},
        "ce_id": {"type": "string", "description": "Unique among all events; a redelivered event has the same id."},
        "ce_type": {"type": "string", "description": "The message's type."},
        "ce_source": {"type": "string", "description": "The table, relay or web side that published it."},
        "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
        "content-type": {"const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context, section 3.2."},
    },
}
"""The headers that the codec writes."""
