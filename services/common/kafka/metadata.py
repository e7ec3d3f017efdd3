"""Kafka's metadata of topics with their ids, which aiokafka does not support.

Metadata contains topic ids from request version 10 on (KIP-516). Source of the format: the Kafka protocol guide,
"Metadata API (Key: 3)".
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from aiokafka.errors import TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields


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


class TopicsRequest(Request[_MetadataStruct]):  # type: ignore[misc] # aiokafka has no types
    """Asks for the metadata of topics by their full names; `read_topics` reads the response."""

    API_KEY = 3

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def build(self, struct: type[_MetadataStruct]) -> _MetadataStruct:
        """Return the request in Kafka's form."""
        return struct([(uuid.UUID(int=0), name, {}) for name in self._names], *(False, False, False), {})


@dataclass(frozen=True, slots=True)
class PartitionReplicas:
    """The brokers of one partition.

    Attributes:
        replicas: Those that should have its records.
        in_sync: Those that have them.

    """

    replicas: frozenset[int]
    in_sync: frozenset[int]


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as Kafka describes it.

    Attributes:
        error_code: Kafka's error; 0 if there is none.
        identity: The cluster's and the topic's id; a topic that was created anew has another one.
        partitions: The partitions by number; empty after an error.

    """

    error_code: int
    identity: str
    partitions: Mapping[int, PartitionReplicas]

    @property
    def missing(self) -> bool:
        """True if there is no topic of this name."""
        return bool(self.error_code == UnknownTopicOrPartitionError.errno)

    @property
    def forbidden(self) -> bool:
        """True if Kafka does not tell this client whether there is one."""
        return bool(self.error_code == TopicAuthorizationFailedError.errno)


def read_topics(response: Any) -> dict[str, TopicDescription]:
    """Return what a response to `TopicsRequest` describes, by the topics' full names."""
    return {
        name: TopicDescription(
            error,
            f"{response.cluster_id}/{topic_id}",
            {
                partition: PartitionReplicas(frozenset(replicas), frozenset(in_sync))
                for _error, partition, _leader, _epoch, replicas, in_sync, *_rest in ([] if error else partitions)
            },
        )
        for error, name, topic_id, _internal, partitions, *_rest in response.topics
    }
