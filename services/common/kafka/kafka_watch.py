"""Monitors whether Kafka accepts writes, and whether its topics are there and as they must be.

One responding broker is not enough where min.insync.replicas is two. When most brokers are down, the remaining one
still reports its old metadata, in which all are in sync. So the watch queries each broker, and counts for each
partition the in-sync replicas whose brokers respond.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from services.common.cancellation import raise_if_cancelled
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.metadata import TopicsRequest, read_topics
from services.common.kafka.partitions import require_partitions
from services.common.kafka.topic_watch import TopicFindings, TopicMetadata, TopicRequirements, read_configs

log = structlog.get_logger(__name__)
CHECK_SECONDS: Final = 1.0
BROKER_TIMEOUT_SECONDS: Final = 1.0
"""Maximum response time of a broker. Together with the pause, pages report within 2 s that Kafka is away."""
TOPICS_SECONDS: Final = 2.0
"""Interval between reads of the topics' metadata."""
CONFIGS_SECONDS: Final = 60.0
"""Interval between reads of the topics' configuration, and between attempts to learn why no connection is taken."""
MISSING_READS: Final = 2
"""After how many reads a topic that was there is believed to be gone."""


class TopicsChangedError(Exception):
    """Topics are gone, or were created anew. All clients must begin again once they are there. The text names them."""


class KafkaWatch:
    """Checks Kafka periodically, so that the web side rejects commands at once while Kafka does not accept writes.

    Attributes:
        available: True while Kafka accepts writes.
        reason: Suffix of the operator's message: the number of responding brokers, or why no connection is taken.
        findings: What is wrong with the topics.

    """

    def __init__(self, connection: KafkaConnection, requirements: TopicRequirements) -> None:
        """Prepare the watch; the first check connects.

        Args:
            connection: How to reach Kafka.
            requirements: What the topics must be.

        """
        self._connection = connection
        self._requirements = requirements
        self._names = tuple(requirements.by_name)
        self._client: AIOKafkaClient | None = None
        self._topics: TopicMetadata | None = None
        self._topics_due = 0.0
        self._configs_due = 0.0
        self._refusal_due = 0.0
        self._refusal = ""
        self._missing_reads = 0
        self.available = False
        self.reason = ""
        self.findings = TopicFindings()

    async def wait_for_topics(self) -> None:
        """Wait until all topics are there.

        Raises:
            PartitionsError: If they have another number of partitions than expected.

        """
        self._topics = None
        self._topics_due = self._configs_due = 0.0
        while not self._is_complete:
            await self._check()
            await asyncio.sleep(0 if self._is_complete else CHECK_SECONDS)

    async def run(self) -> None:
        """Check until cancelled.

        Raises:
            PartitionsError: Once topics have another number of partitions; an operator may add some at any time.
            TopicsChangedError: Once topics are gone, or were created anew.

        """
        identities = self._topics.identities() if self._topics else {}
        while True:
            await self._check()
            raise_if_cancelled()
            self._require_unchanged(identities)
            await asyncio.sleep(CHECK_SECONDS)

    async def stop(self) -> None:
        """Close the connections; a later check opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def _is_complete(self) -> bool:
        """True once Kafka has described the topics, and none is missing."""
        return self._topics is not None and not self.findings.missing

    def _require_unchanged(self, identities: Mapping[str, str]) -> None:
        found = self._topics.identities() if self._topics else {}
        if recreated := sorted(name for name in identities.keys() & found.keys() if identities[name] != found[name]):
            text = f"created anew: {', '.join(recreated)}"
            raise TopicsChangedError(text)
        if self._missing_reads >= MISSING_READS:
            raise TopicsChangedError("; ".join(self.findings.missing))

    async def _check(self) -> None:
        brokers, responding = await self._query_brokers()
        if responding:
            await self._read_topics(next(iter(responding)), responding)
        else:
            # Kafka may come back at other addresses.
            await self.stop()
        available = bool(responding) and (self._topics is None or self._topics.accepts_writes(responding, self._names))
        if available and not self.available:
            log.info("kafka answers")
        elif self.available and not available:
            log.warning("kafka does not answer", brokers=sorted(responding))
        self.available = available
        if responding:
            self.reason = f": {len(responding)} of {brokers} brokers do, too few to keep records"
        else:
            await self._note_refusal()

    async def _note_refusal(self) -> None:
        """Learn, once in a while, why Kafka takes no connection."""
        now = time.monotonic()
        if now >= self._refusal_due:
            self._refusal_due = now + CONFIGS_SECONDS
            refusal = await self._connection.refusal()
            if refusal and refusal != self._refusal:
                log.error("kafka refuses the connection", reason=refusal)
            self._refusal = refusal
        self.reason = f": {self._refusal}" if self._refusal else ""

    async def _query_brokers(self) -> tuple[int, Mapping[int, Any]]:
        """Return the number of brokers, and the responses of those that respond, by id."""
        try:
            client = await self._connect()
        except KafkaError:
            return 0, {}
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        responses = await asyncio.gather(*(_send(client, node, MetadataRequest([])) for node in nodes))
        found = zip(nodes, responses, strict=True)
        return len(nodes), {node: response for node, response in found if response is not None}

    async def _read_topics(self, node: int, responses: Mapping[int, Any]) -> None:
        """Read the topics from a broker if they are due; without a response, the previous metadata stays."""
        now = time.monotonic()
        if self._client is None or now < self._topics_due:
            return
        # By name: a shared Kafka may have thousands of other topics.
        metadata = await _send(self._client, node, TopicsRequest(self._names))
        if metadata is None:
            return
        self._topics_due = now + TOPICS_SECONDS
        self._client.cluster.update_metadata(responses[node])
        described = read_topics(metadata)
        known = self._topics.configs if self._topics else {}
        if now >= self._configs_due:
            names = [name for name, topic in described.items() if not topic.error_code]
            configs = await self._read_configs(node, names) if names else None
            if configs is not None:
                self._configs_due = now + CONFIGS_SECONDS
                known = configs
        self._topics = TopicMetadata(described, known)
        self._note(self._topics.findings(self._requirements))
        require_partitions(self._topics.counts(), self._names, self._requirements.partitions)

    async def _read_configs(self, node: int, names: Sequence[str]) -> Mapping[str, Mapping[str, str]] | None:
        wanted = self._requirements.setting_names
        request = DescribeConfigsRequest([(ConfigResourceType.TOPIC, name, list(wanted[name])) for name in names])
        response = await _send(self._client, node, request)
        if response is None:
            return None
        configs = read_configs(response)
        if forbidden := sorted(set(names) - configs.keys()):
            log.warning("kafka does not show the settings of topics: countersign topics acls", topics=forbidden)
        return configs

    def _note(self, findings: TopicFindings) -> None:
        """Log what is new, once."""
        for text in findings.missing:
            if text not in self.findings.missing:
                log.error("a topic is missing", reason=text)
        for text in findings.endangering:
            if text not in self.findings.endangering:
                log.error("a topic may lose records", reason=text)
        for text in findings.different:
            if text not in self.findings.different:
                log.warning("a topic differs from what it should be", reason=text)
        # A topic that cannot be described at the moment is not judged, and counts as it did before.
        self._missing_reads = self._missing_reads + 1 if findings.missing else 0
        self.findings = findings

    async def _connect(self) -> AIOKafkaClient:
        if self._client is None:
            # A separate client, so that a broker that refuses connections does not block the producers.
            client = self._connection.client(request_timeout_ms=int(BROKER_TIMEOUT_SECONDS * 1000))
            try:
                await client.bootstrap()
            except BaseException:
                await client.close()
                raise
            self._client = client
        return self._client


async def _send(client: AIOKafkaClient | None, node: int, request: Any) -> Any | None:
    """Return a broker's response, or None if it does not respond in time."""
    if client is None:
        return None
    try:
        async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
            return await client.send(node, request)
    except (KafkaError, OSError, TimeoutError):
        return None
