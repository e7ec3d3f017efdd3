"""A topic's identity and delete retention, which a reader needs to keep a local copy of the topic."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest

from services.common.kafka.connection import KafkaConnection
from services.common.kafka.metadata import TopicsRequest, read_topics

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
        described = read_topics(await client.send(node, TopicsRequest([topic])))[topic]
        _require(described.error_code)
        names = [DELETE_RETENTION, COMPACTION_LAG]
        response = await client.send(node, DescribeConfigsRequest([(ConfigResourceType.TOPIC, topic, names)]))
        ((error, _message, _kind, _resource, settings),) = response.resources
        _require(error)
    finally:
        await client.close()
    seconds = {name: int(milliseconds) / 1000 for name, milliseconds, *_ in settings}
    return TopicFacts(described.identity, seconds[DELETE_RETENTION], seconds[COMPACTION_LAG])


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
