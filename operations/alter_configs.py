"""Changes single settings of topics and keeps all others, which aiokafka does not support.

Source of the format: the Kafka protocol guide, "IncrementalAlterConfigs API (Key: 44)" (KIP-339).
"""

from collections.abc import Mapping
from typing import Final

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

_SET: Final = 0
_TEXT: Final = String("utf-8")


class _AlterConfigsResponse(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(("error_code", Int16), ("error_message", _TEXT), ("resource_type", Int8), ("resource_name", _TEXT)),
        ),
    )


class _AlterConfigsStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = _AlterConfigsResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", _TEXT),
                ("configs", Array(("name", _TEXT), ("config_operation", Int8), ("value", _TEXT))),
            ),
        ),
        ("validate_only", Boolean),
    )


class _AlterConfigsRequest(Request[_AlterConfigsStruct]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 44

    def __init__(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        self._settings = settings

    def build(self, struct: type[_AlterConfigsStruct]) -> _AlterConfigsStruct:
        resources = [
            (ConfigResourceType.TOPIC, topic, [(name, _SET, value) for name, value in settings.items()])
            for topic, settings in self._settings.items()
        ]
        return struct(resources, False)  # noqa: FBT003 - a field of the struct, which takes them by position


async def alter_topic_settings(client: AIOKafkaClient, settings: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Set settings of topics.

    Args:
        client: A connected client.
        settings: The new values by the topic's full name and the setting's.

    Returns:
        Why Kafka refused, by the topic's full name; topics without an entry are changed.

    Raises:
        KafkaError: If Kafka cannot be reached.

    """
    response = await client.send(client.get_random_node(), _AlterConfigsRequest(settings))
    return {name: message or for_code(code).__name__ for code, message, _kind, name in response.responses if code}
