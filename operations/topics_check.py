"""Compare the topics of a Kafka with what Countersign needs, changing nothing."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from operations import deployment
from operations.topics import topic_settings
from schemas.topics import Topic


async def differences(bootstrap: str, prefix: str, partitions: int, replication: int) -> list[str]:
    """Return a sentence for each topic that is missing, and for each property that differs.

    Args:
        bootstrap: Kafka's address, as ``host:port``.
        prefix: What stands before each topic's name in this deployment; may be empty.
        partitions: How many partitions each topic should have.
        replication: How many brokers should keep each record.

    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
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
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(asked) if asked else []
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for _code, _message, _kind, name, entries in answer.resources
    }


def _counts(name: str, found: list[Mapping[str, Any]], partitions: int, replication: int) -> Iterator[str]:
    if len(found) != partitions:
        yield f"{name} has {len(found)} partitions instead of {partitions}"
    fewest = min(len(partition["replicas"]) for partition in found)
    if fewest < replication:
        yield f"{name} is kept by {fewest} brokers instead of {replication}"


def _other_settings(name: str, settings: Mapping[str, str], topic: Topic, replication: int) -> Iterator[str]:
    for setting, value in topic_settings(topic, replication).items():
        if settings.get(setting) != value:
            yield f"{name} has {setting} {settings.get(setting)} instead of {value}"
