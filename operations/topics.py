"""Provisions the topics that Countersign needs, and compares existing ones with the requirements."""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from operations import deployment
from schemas.topics import COMPACTION_LAG_SECONDS, Topic
from services.common.kafka.connection import KafkaConnection

_REQUEST_TIMEOUT_MS: Final = 30_000
_LEADERS_TIMEOUT_SECONDS: Final = 120.0
_SAFE_REPLICATION: Final = 3
_FETCHER_LOG: Final = logging.getLogger("aiokafka.consumer.fetcher")
_HOUR_SECONDS: Final = 60 * 60


class TopicsError(Exception):
    """A topic could not be created, or an existing one does not match. The text says which and why."""


@dataclass(frozen=True, slots=True)
class AppliedTopics:
    """The result of provisioning.

    Attributes:
        created: Full names of the created topics.
        present: Full names of the topics that existed before.

    """

    created: tuple[str, ...]
    present: tuple[str, ...]


def topic_settings(topic: Topic, replication: int) -> dict[str, str]:
    """Return a topic's configuration by Kafka's names, for a replication factor."""
    # With three replicas, a write needs two of them, so that one broker may fail.
    settings = {"min.insync.replicas": "2" if replication >= _SAFE_REPLICATION else "1"}
    if not topic.compacted:
        # Kafka's own clock, which bounds what a sender's wrong clock can do.
        settings["message.timestamp.type"] = "LogAppendTime"
    if topic.compacted:
        # Only closed segments are compacted. An instance without local data reads the whole table at its start, so
        # replaced records should be gone after a day, and not only when they are half of the topic. An owner needs the
        # day to write again what compaction would lose (docs/adr/0030-one-store.md).
        settings |= {
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.2",
            "segment.ms": str(_HOUR_SECONDS * 1000),
            "min.compaction.lag.ms": str(COMPACTION_LAG_SECONDS * 1000),
        }
    elif topic.retention_seconds is not None:
        settings |= {
            "cleanup.policy": "delete",
            "retention.ms": str(topic.retention_seconds * 1000),
            # A segment is deleted as a whole, so it spans at most a tenth of the retention, and at least 15 minutes.
            "segment.ms": str(max(topic.retention_seconds // 10, _HOUR_SECONDS // 4) * 1000),
        }
    return settings


async def apply_topics(connection: KafkaConnection, prefix: str, partitions: int, replication: int) -> AppliedTopics:
    """Create the missing topics, and wait until all are writable. The operation is idempotent.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix in this deployment; may be empty.
        partitions: The number of partitions of each topic; equal for all, since topics of one table must agree.
        replication: The replication factor.

    Raises:
        TopicsError: If Kafka rejects a topic, or one exists with another number of partitions.

    """
    admin = connection.admin()
    try:
        await connection.start(admin)
        existing = set(await admin.list_topics())
        wanted = {prefix + topic.name: topic for topic in deployment.ALL}
        missing = [
            NewTopic(name, partitions, replication, topic_configs=topic_settings(topic, replication))
            for name, topic in wanted.items()
            if name not in existing
        ]
        if missing:
            _require_created(await admin.create_topics(missing, timeout_ms=_REQUEST_TIMEOUT_MS))
        _require_partitions(await admin.describe_topics(list(wanted)), partitions)
    finally:
        await admin.close()
    await await_leaders(connection, [TopicPartition(name, number) for name in wanted for number in range(partitions)])
    created = tuple(topic.name for topic in missing)
    return AppliedTopics(created, tuple(name for name in wanted if name not in created))


def _require_created(response: Any) -> None:
    """Raise any error except that another process created the topic at the same moment."""
    for name, code, message in response.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            text = f"topic {name} could not be created: {message or for_code(code).__name__}"
            raise TopicsError(text)


def _require_partitions(described: list[dict[str, Any]], partitions: int) -> None:
    for topic in described:
        found = len(topic["partitions"])
        if topic["error_code"] == 0 and found != partitions:
            text = (
                f"topic {topic['topic']} has {found} partitions instead of {partitions}: use --partitions {found}, "
                "or change all topics with `countersign topics repartition`"
            )
            raise TopicsError(text)


async def await_leaders(connection: KafkaConnection, partitions: list[TopicPartition]) -> None:
    """Wait until each partition's leader serves it.

    After a topic's creation or a broker's restart, Kafka announces a leader shortly before the leader is ready, and
    rejects records until then. So this requests the end offsets, which only the leader can return.

    Raises:
        TopicsError: If a leader is not ready in time.

    """
    consumer = connection.consumer()
    try:
        await connection.start(consumer)
        _FETCHER_LOG.addFilter(_is_other_warning)
        async with asyncio.timeout(_LEADERS_TIMEOUT_SECONDS):
            # Without the assignment, the client would look up one topic after the other, 0.1 s each.
            consumer.assign(partitions)
            await consumer.end_offsets(partitions)
    except TimeoutError:
        text = f"some topics have no ready leader after {_LEADERS_TIMEOUT_SECONDS:.0f} s"
        raise TopicsError(text) from None
    finally:
        _FETCHER_LOG.removeFilter(_is_other_warning)
        await consumer.stop()


def _is_other_warning(record: logging.LogRecord) -> bool:
    """Filter the client's warnings about leaders that are not ready, which would flood the terminal."""
    return not record.getMessage().startswith("Failed fetch offsets")


async def differences(connection: KafkaConnection, prefix: str, partitions: int, replication: int) -> list[str]:
    """Return a sentence for each missing topic and each property that differs; see `apply_topics` for the arguments."""
    admin = connection.admin()
    try:
        await connection.start(admin)
        described = {topic["topic"]: topic for topic in await admin.describe_topics()}
        wanted = {prefix + topic.name: topic for topic in deployment.ALL}
        present = [name for name in wanted if name in described]
        settings = await _settings(admin, present)
    finally:
        await admin.close()
    found = [f"{name} is missing" for name in wanted if name not in described]
    for name in present:
        found += _counts(name, described[name]["partitions"], partitions, replication)
        found += _other_settings(name, settings[name], wanted[name], replication)
    return found


async def _settings(admin: AIOKafkaAdminClient, names: list[str]) -> Mapping[str, Mapping[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    responses = await admin.describe_configs(resources) if resources else []
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for response in responses
        for _code, _message, _kind, name, entries in response.resources
    }


def _counts(name: str, found: list[Mapping[str, Any]], partitions: int, replication: int) -> Iterator[str]:
    if len(found) != partitions:
        yield f"{name} has {len(found)} partitions instead of {partitions}"
    fewest = min(len(partition["replicas"]) for partition in found)
    if fewest < replication:
        yield f"{name} is replicated on {fewest} brokers instead of {replication}"


def _other_settings(name: str, settings: Mapping[str, str], topic: Topic, replication: int) -> Iterator[str]:
    for setting, value in topic_settings(topic, replication).items():
        if settings.get(setting) != value:
            yield f"{name} has {setting} {settings.get(setting)} instead of {value}"
