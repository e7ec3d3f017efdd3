"""Provisions the topics that Countersign needs: creates them, compares them with the requirements, and mends them."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest

from operations.alter_configs import alter_topic_settings
from operations.deployment import ALL
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.metadata import TopicsRequest, read_topics
from services.common.kafka.topic_settings import SettingDifference, creation_settings, setting_differences
from services.common.kafka.topic_watch import REASSIGN, TopicMetadata, TopicRequirements, read_configs

_REQUEST_TIMEOUT_MS: Final = 30_000
_LEADERS_TIMEOUT_SECONDS: Final = 120.0
_FETCHER_LOG: Final = logging.getLogger("aiokafka.consumer.fetcher")
_LOST: Final = "what Kafka deleted before is lost; a backup may have it"


class TopicsError(Exception):
    """A topic could not be created or mended, or an existing one does not match. The text says which and why."""


@dataclass(frozen=True, slots=True)
class AppliedTopics:
    """The result of provisioning.

    Attributes:
        created: Full names of the created topics.
        present: Full names of the topics that existed before.
        mended: A sentence for each setting that was changed.

    """

    created: tuple[str, ...]
    present: tuple[str, ...]
    mended: tuple[str, ...] = ()


async def apply_topics(connection: KafkaConnection, prefix: str, partitions: int, replication: int) -> AppliedTopics:
    """Create the missing topics, mend the settings of others, and wait until all are writable. It is idempotent.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix in this deployment; may be empty.
        partitions: The number of partitions of each topic; equal for all, since topics of one table must agree.
        replication: The replication factor.

    Raises:
        TopicsError: If Kafka rejects a topic or a setting, or a topic has another number of partitions or fewer
            replicas.

    """
    requirements = TopicRequirements(ALL, prefix, partitions, replication)
    admin = connection.admin()
    try:
        await connection.start(admin)
        found = await _describe(admin._client, requirements)  # noqa: SLF001 - aiokafka describes no topic ids
        missing = [
            NewTopic(name, partitions, replication, topic_configs=creation_settings(topic, replication))
            for name, topic in requirements.by_name.items()
            if name not in found.counts()
        ]
        if missing:
            _require_created(await admin.create_topics(missing, timeout_ms=_REQUEST_TIMEOUT_MS))
        _require_partitions(found, partitions)
        mended = await _mend(admin._client, found, requirements)  # noqa: SLF001 - as above
        _require_replicas(found, requirements)
    finally:
        await admin.close()
    names = list(requirements.by_name)
    await await_leaders(connection, [TopicPartition(name, number) for name in names for number in range(partitions)])
    created = tuple(topic.name for topic in missing)
    return AppliedTopics(created, tuple(name for name in names if name not in created), mended)


async def differences(connection: KafkaConnection, prefix: str, partitions: int, replication: int) -> list[str]:
    """Return a sentence for each missing topic and each property that differs; see `apply_topics` for the arguments."""
    requirements = TopicRequirements(ALL, prefix, partitions, replication)
    client = connection.client()
    try:
        await connection.start_client(client)
        found = await _describe(client, requirements)
    finally:
        await client.close()
    counts = [
        f"{name} has {count} partitions instead of {partitions}"
        for name, count in found.counts().items()
        if count != partitions
    ]
    findings = found.findings(requirements)
    return [*findings.missing, *counts, *findings.endangering, *findings.different]


async def _describe(client: AIOKafkaClient, requirements: TopicRequirements) -> TopicMetadata:
    """Return the topics and their settings."""
    node = client.get_random_node()
    described = read_topics(await client.send(node, TopicsRequest(list(requirements.by_name))))
    wanted = requirements.setting_names
    names = [name for name, topic in described.items() if not topic.error_code]
    if not names:
        return TopicMetadata(described)
    request = DescribeConfigsRequest([(ConfigResourceType.TOPIC, name, list(wanted[name])) for name in names])
    configs = read_configs(await client.send(node, request))
    if forbidden := set(names) - configs.keys():
        text = f"the settings of {', '.join(sorted(forbidden))} may not be read: countersign topics acls --apply"
        raise TopicsError(text)
    return TopicMetadata(described, configs)


def _require_created(response: Any) -> None:
    """Raise any error except that another process created the topic at the same moment."""
    for name, code, message in response.topic_errors:
        if code not in {0, TopicAlreadyExistsError.errno}:
            text = f"topic {name} could not be created: {message or for_code(code).__name__}"
            raise TopicsError(text)


def _require_partitions(found: TopicMetadata, partitions: int) -> None:
    for name, count in found.counts().items():
        if count != partitions:
            text = (
                f"topic {name} has {count} partitions instead of {partitions}: use --partitions {count}, "
                "or change all topics with `countersign topics repartition`"
            )
            raise TopicsError(text)


def _require_replicas(found: TopicMetadata, requirements: TopicRequirements) -> None:
    short = [text for text in found.findings(requirements).endangering if text.endswith(REASSIGN)]
    if short:
        text = f"{short[0]} changes that, this command does not ({len(short)} topics)"
        raise TopicsError(text)


async def _mend(client: AIOKafkaClient, found: TopicMetadata, requirements: TopicRequirements) -> tuple[str, ...]:
    """Set the settings that differ, and return a sentence for each."""
    by_topic: dict[str, list[SettingDifference]] = {}
    for name, topic in requirements.by_name.items():
        each = list(setting_differences(topic, name, found.configs.get(name, {}), requirements.replication))
        if each:
            by_topic[name] = each
    if not by_topic:
        return ()
    wanted = {name: {each.setting.name: each.setting.value for each in found} for name, found in by_topic.items()}
    refused = await alter_topic_settings(client, wanted)
    if refused:
        name, why = next(iter(refused.items()))
        text = f"{by_topic[name][0]}, and Kafka refuses the change: {why}"
        raise TopicsError(text)
    return tuple(_sentence(each) for found in by_topic.values() for each in found)


def _sentence(difference: SettingDifference) -> str:
    setting = difference.setting
    lost = f"; {_LOST}" if setting.name == "cleanup.policy" and difference.endangers else ""
    return f"{difference.topic}: {setting.name} {setting.value} instead of {difference.found}{lost}"


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
