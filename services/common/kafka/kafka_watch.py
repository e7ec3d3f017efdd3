"""Whether Kafka takes what an instance writes, and whether its topics have the partitions that the instance was told.

One broker that answers is not enough where two must have each record. And where most of the brokers are gone, the one
that is left tells what it knew before: that all are well. So each broker is asked itself, and a partition counts the
in-sync replicas whose brokers answer.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from schemas.topics import Topic
from services.common.cancellation import raise_if_cancelled
from services.common.kafka.partitions import require_partitions
from services.common.kafka.publisher import Publisher

log = structlog.get_logger(__name__)
LOOK_SECONDS: Final = 0.5
ANSWER_SECONDS: Final = 1.5
"""How long a broker may take to answer. With the pause before, pages say within 2 s that Kafka is away."""
TOPICS_SECONDS: Final = 2.0
"""How long it is from one reading of the topics to the next."""
SETTINGS_SECONDS: Final = 60.0
"""How long it is from one reading of their settings to the next."""
MIN_IN_SYNC: Final = "min.insync.replicas"


@dataclass(frozen=True, slots=True)
class Topics:
    """What Kafka last told of its topics.

    Attributes:
        in_sync: The brokers that have all of a partition, for each partition of each topic, by the topic's full name.
        least: How many of them must have a record before it counts as kept, by topic; 1 where none is named.

    """

    in_sync: Mapping[str, Mapping[int, frozenset[int]]]
    least: Mapping[str, int]

    def counts(self) -> dict[str, int]:
        """Return how many partitions each topic has."""
        return {topic: len(partitions) for topic, partitions in self.in_sync.items()}

    def takes_writes(self, answering: Iterable[int], names: Iterable[str]) -> bool:
        """Tell whether every partition of some topics can keep a record, given the brokers that answer."""
        there = frozenset(answering)
        return all(
            len(brokers & there) >= self.least.get(name, 1)
            for name in names
            for brokers in self.in_sync.get(name, {}).values()
        )


class KafkaWatch:
    """Looks at Kafka again and again, and has the web side refuse at once what Kafka would not take.

    Attributes:
        answers: True while Kafka takes what is written.
        reason: What is the matter, in words; empty while it answers.

    """

    def __init__(
        self, publisher: Publisher, bootstrap: str, prefix: str, topics: Iterable[Topic], partitions: int
    ) -> None:
        """Prepare it.

        Args:
            publisher: Told whether Kafka answers.
            bootstrap: Kafka's ``host:port`` list.
            prefix: What stands before each topic's name in this deployment.
            topics: The topics that the instance reads and writes.
            partitions: The number of partitions that the instance was told.

        """
        self._publisher = publisher
        self._bootstrap = bootstrap
        self._names = tuple(prefix + topic.name for topic in topics)
        self._partitions = partitions
        self._client: AIOKafkaClient | None = None
        self._topics: Topics | None = None
        self._topics_due = 0.0
        self._settings_due = 0.0
        self.answers = False
        self.reason = ""

    async def require(self) -> None:
        """Wait until Kafka tells of its topics, and return if they have the partitions that the instance was told.

        Raises:
            PartitionsError: If they do not.

        """
        while self._topics is None:
            await self._look()
            await asyncio.sleep(0 if self._topics else LOOK_SECONDS)

    async def run(self) -> None:
        """Look until cancelled.

        Raises:
            PartitionsError: Once topics have another number of partitions: somebody may add some at any time.

        """
        while True:
            await self._look()
            raise_if_cancelled()
            await asyncio.sleep(LOOK_SECONDS)

    async def stop(self) -> None:
        """Give the connections up; a later look makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _look(self) -> None:
        asked, answering = await self._ask_brokers()
        if answering:
            await self._read_topics(answering[0])
        else:
            # Kafka may come back at other addresses.
            await self.stop()
        enough = bool(answering) and (self._topics is None or self._topics.takes_writes(answering, self._names))
        if enough and not self.answers:
            log.info("kafka answers")
        if self.answers and not enough:
            log.warning("kafka does not answer", brokers=answering)
        self.reason = f": {len(answering)} of {asked} brokers do, too few to keep records" if answering else ""
        self.answers = self._publisher.kafka_answers = enough

    async def _ask_brokers(self) -> tuple[int, list[int]]:
        """Return how many brokers Kafka has, and which of them answer."""
        try:
            client = await self._connect()
        except KafkaError:
            return 0, []
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        answers = await asyncio.gather(*(_ask(client, node, MetadataRequest([])) for node in nodes))
        answering = [node for node, answer in zip(nodes, answers, strict=True) if answer is not None]
        return len(nodes), answering

    async def _read_topics(self, node: int) -> None:
        """Read the topics from a broker if it is time to; what it does not tell stays as it was."""
        now = time.monotonic()
        if self._client is None or now < self._topics_due:
            return
        # By name: a Kafka that is shared has thousands of others.
        found = await _ask(self._client, node, MetadataRequest(list(self._names), allow_auto_topic_creation=False))
        if found is None:
            return
        self._topics_due = now + TOPICS_SECONDS
        in_sync = _in_sync(found)
        if len(in_sync) == len(self._names):  # aiokafka would log each that is not there
            self._client.cluster.update_metadata(found)
        least = self._topics.least if self._topics else {}
        names = [name for name in self._names if name in in_sync]
        if names and now >= self._settings_due:
            asked = DescribeConfigsRequest([(ConfigResourceType.TOPIC, name, [MIN_IN_SYNC]) for name in names])
            settings = await _ask(self._client, node, asked)
            if settings is not None:
                self._settings_due = now + SETTINGS_SECONDS
                least = _least(settings)
        self._topics = Topics(in_sync, least)
        require_partitions(self._topics.counts(), self._names, self._partitions)

    async def _connect(self) -> AIOKafkaClient:
        if self._client is None:
            # Its own, so that a broker that does not let anybody in keeps no producer waiting.
            client = AIOKafkaClient(bootstrap_servers=self._bootstrap, request_timeout_ms=int(ANSWER_SECONDS * 1000))
            try:
                await client.bootstrap()
            except BaseException:
                await client.close()
                raise
            self._client = client
        return self._client


async def _ask(client: AIOKafkaClient, node: int, request: Any) -> Any | None:
    """Return a broker's answer; None if there is none in time."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await client.send(node, request)
    except (KafkaError, OSError, TimeoutError):
        return None


def _in_sync(answer: Any) -> dict[str, dict[int, frozenset[int]]]:
    """Read the in-sync replicas out of a metadata response (Kafka protocol guide, "Metadata API (Key: 3)")."""
    return {
        topic: {partition: frozenset(in_sync) for _error, partition, _leader, _replicas, in_sync, *_ in partitions}
        for error, topic, _internal, partitions in answer.topics
        if not error
    }


def _least(answer: Any) -> dict[str, int]:
    """Read how many replicas must have each record out of a response to DescribeConfigs."""
    return {
        topic: int(value)
        for error, _message, _kind, topic, settings in answer.resources
        if not error
        for _name, value, *_ in settings
    }
