"""Make the topics that Countersign needs, with the settings that their kind asks for."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from operations import deployment
from schemas.topics import Topic

_REQUEST_TIMEOUT_MS: Final = 30_000
_LEADERS_TIMEOUT_SECONDS: Final = 120.0
_SAFE_REPLICATION: Final = 3
_FETCHER_LOG: Final = logging.getLogger("aiokafka.consumer.fetcher")
_HOUR_SECONDS: Final = 60 * 60


class TopicsError(Exception):
    """The topics could not be made, or one that exists does not fit. The text says which and why."""


@dataclass(frozen=True, slots=True)
class AppliedTopics:
    """What provisioning did.

    Attributes:
        created: Names of the topics that were made, with their prefix.
        present: Names of those that were there before.

    """

    created: tuple[str, ...]
    present: tuple[str, ...]


def topic_settings(topic: Topic, replication: int) -> dict[str, str]:
    """Return a topic's settings, as Kafka names them.

    Args:
        topic: The topic.
        replication: How many brokers keep each record.

    """
    # A write counts once a second broker has it, where there are enough of them to lose one and go on.
    settings = {"min.insync.replicas": "2" if replication >= _SAFE_REPLICATION else "1"}
    if topic.compacted:
        # Only closed segments are compacted. A table is read whole when a service starts, so what has been replaced
        # should be gone within the hour, and not wait until it is half of everything.
        settings |= {
            "cleanup.policy": "compact",
            "min.cleanable.dirty.ratio": "0.2",
            "segment.ms": str(_HOUR_SECONDS * 1000),
        }
    elif topic.retention_seconds is not None:
        settings |= {
            "cleanup.policy": "delete",
            "retention.ms": str(topic.retention_seconds * 1000),
            # A segment is deleted as a whole: none may be longer than a tenth of what is kept, within reason.
            "segment.ms": str(max(topic.retention_seconds // 10, _HOUR_SECONDS // 4) * 1000),
        }
    return settings


async def apply_topics(bootstrap: str, prefix: str, partitions: int, replication: int) -> AppliedTopics:
    """Make the topics that are missing, and wait until all of them can be written. Doing it again changes nothing.

    Args:
        bootstrap: Kafka's address, as ``host:port``.
        prefix: What stands before each topic's name in this deployment; may be empty.
        partitions: Partitions of each topic. The same for all, because topics that change one table must agree.
        replication: How many brokers keep each record.

    Raises:
        TopicsError: If Kafka refuses one, or one exists with another number of partitions.

    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        wanted = {prefix + topic.name: topic for topic in deployment.ALL}
        missing = [
            NewTopic(name, partitions, replication, topic_configs=topic_settings(topic, replication))
            for name, topic in wanted.items()
            if name not in existing
        ]
        if missing:
            _require_made(await admin.create_topics(missing, timeout_ms=_REQUEST_TIMEOUT_MS))
        _require_partitions(await admin.describe_topics(list(wanted)), partitions)
    finally:
        await admin.close()
    await await_leaders(bootstrap, [TopicPartition(name, number) for name in wanted for number in range(partitions)])
    created = tuple(topic.name for topic in missing)
    return AppliedTopics(created, tuple(name for name in wanted if name not in created))


def _require_made(response: Any) -> None:
    """Refuse any error but one: another one that provisions at the same moment was first."""
    for name, code, message in response.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            text = f"topic {name} could not be made: {message or for_code(code).__name__}"
            raise TopicsError(text)


def _require_partitions(described: list[dict[str, Any]], partitions: int) -> None:
    for topic in described:
        found = len(topic["partitions"])
        if topic["error_code"] == 0 and found != partitions:
            text = (
                f"topic {topic['topic']} has {found} partitions instead of {partitions}: say {found}, "
                "or change all topics by `countersign topics repartition`"
            )
            raise TopicsError(text)


async def await_leaders(bootstrap: str, partitions: list[TopicPartition]) -> None:
    """Wait until each partition's leader serves it.

    Kafka names a leader a moment before that one is ready, for a new topic as after a restart, and refuses records
    until then; so ask each leader for something that only it can tell.

    Raises:
        TopicsError: If they could not all be used in time.

    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await consumer.start()
        _FETCHER_LOG.addFilter(_is_no_refusal)
        async with asyncio.timeout(_LEADERS_TIMEOUT_SECONDS):
            # Assigned first, or the client would look up one topic after the other, each in a tenth of a second.
            consumer.assign(partitions)
            await consumer.end_offsets(partitions)
    except TimeoutError:
        text = f"not all topics could be used after {_LEADERS_TIMEOUT_SECONDS:.0f} s"
        raise TopicsError(text) from None
    finally:
        _FETCHER_LOG.removeFilter(_is_no_refusal)
        await consumer.stop()


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """Keep back the client's warnings of exactly what is being waited for; they would fill a person's screen."""
    return not record.getMessage().startswith("Failed fetch offsets")
