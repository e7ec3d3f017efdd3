"""A topic's identity and delete retention, which a reader needs to keep a local copy of the topic.

Kafka's metadata contains topic ids from request version 10 on (KIP-516), which aiokafka does not support.
Source of the format: the Kafka protocol guide, "Metadata API (Key: 3)".
"""

import asyncio
import uuid
from dataclasses import dataclass
from io import BytesIO
from typing import Final

import structlog
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from services.common.kafka.connection import KafkaConnection

log = structlog.get_logger(__name__)
PAUSE_SECONDS: Final = 2.0
DELETE_RETENTION: Final = "delete.retention.ms"
COMPACTION_LAG: Final = "min.compaction.lag.ms"


@dataclass(frozen=True, slots=True)
class TopicFacts:
    """A topic's identity, and how long it keeps what compaction may remove.

    Attributes:
        identity: The cluster's id and the topic's id; a recreated topic has another id.
        delete_retention_seconds: Minimum time for which a compacted topic keeps a tombstone.
        compaction_lag_seconds: Minimum age of a record that compaction takes into account.

    """

    identity: str
    delete_retention_seconds: float
    compaction_lag_seconds: float


class _Uuid:
    """A UUID, 16 bytes in network order."""

    @staticmethod
    def encode(value: uuid.UUID) -> bytes:
        return value.bytes

    @staticmethod
    def decode(data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))


_TEXT: Final = CompactString("utf-8")
_NUMBERS: Final = CompactArray(Int32)
_BROKER: Final = (("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields))
_PARTITION: Final = (
    ("error_code", Int16),
    ("partition", Int32),
    ("leader", Int32),
    ("leader_epoch", Int32),
    ("replicas", _NUMBERS),
    ("isr", _NUMBERS),
    ("offline_replicas", _NUMBERS),
    ("tags", TaggedFields),
)
_TOPIC: Final = (
    ("error_code", Int16),
    ("name", _TEXT),
    ("topic_id", _Uuid),
    ("is_internal", Boolean),
    ("partitions", CompactArray(*_PARTITION)),
    ("authorized_operations", Int32),
    ("tags", TaggedFields),
)


class _MetadataResponse(Response):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(*_BROKER)),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        ("topics", CompactArray(*_TOPIC)),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc] # aiokafka has no types
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc] # aiokafka has no types
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, struct: type[_MetadataStruct]) -> _MetadataStruct:
        return struct([(uuid.UUID(int=0), self._topic, {})], *(False, False, False), {})


async def read_topic_facts(connection: KafkaConnection, topic: str) -> TopicFacts:
    """Read a topic's facts from Kafka.

    Args:
        connection: How to reach Kafka.
        topic: The topic's full name.

    Raises:
        KafkaError: If Kafka cannot be reached, or the topic does not exist.

    """
    client = connection.client()
    try:
        await client.bootstrap()
        node = client.get_random_node()
        metadata = await client.send(node, _MetadataRequest(topic))
        ((error, _name, topic_id, *_),) = metadata.topics
        _require(error)
        names = [DELETE_RETENTION, COMPACTION_LAG]
        response = await client.send(node, DescribeConfigsRequest([(ConfigResourceType.TOPIC, topic, names)]))
        ((error, _message, _kind, _resource, settings),) = response.resources
        _require(error)
    finally:
        await client.close()
    seconds = {name: int(milliseconds) / 1000 for name, milliseconds, *_ in settings}
    return TopicFacts(f"{metadata.cluster_id}/{topic_id}", seconds[DELETE_RETENTION], seconds[COMPACTION_LAG])


async def read_partition_counts(connection: KafkaConnection) -> dict[str, int]:
    """Return the number of partitions of each topic in Kafka.

    Args:
        connection: How to reach Kafka.

    Raises:
        KafkaError: If Kafka cannot be reached.

    """
    client = connection.client()
    try:
        await client.bootstrap()
        cluster = await client.fetch_all_metadata()
    finally:
        await client.close()
    return {topic: len(cluster.partitions_for_topic(topic) or ()) for topic in cluster.topics()}


async def await_topic_facts(connection: KafkaConnection, topic: str) -> TopicFacts:
    """Read a topic's facts from Kafka, retrying until they are available."""
    while True:
        try:
            return await read_topic_facts(connection, topic)
        except (KafkaError, OSError) as error:
            log.warning("cannot read topic metadata from kafka, retrying", topic=topic, error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)


def _require(error_code: int) -> None:
    if error_code:
        raise for_code(error_code)
