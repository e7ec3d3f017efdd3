"""Monitors whether Kafka accepts writes, and whether its topics have the expected number of partitions.

One responding broker is not enough where min.insync.replicas is two. When most brokers are down, the remaining one
still reports its old metadata, in which all are in sync. So the watch queries each broker, and counts for each
partition the in-sync replicas whose brokers respond.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeConfigsRequest
from aiokafka.protocol.metadata import MetadataRequest

from schemas.topics import COMPACTION_LAG_SECONDS, Topic
from services.common.cancellation import raise_if_cancelled
from services.common.kafka.partitions import require_partitions

log = structlog.get_logger(__name__)
CHECK_SECONDS: Final = 1.0
BROKER_TIMEOUT_SECONDS: Final = 1.0
"""Maximum response time of a broker. Together with the pause, pages report within 2 s that Kafka is away."""
TOPICS_SECONDS: Final = 2.0
"""Interval between reads of the topics' metadata."""
CONFIGS_SECONDS: Final = 60.0
"""Interval between reads of the topics' configuration."""
MIN_IN_SYNC: Final = "min.insync.replicas"
CLEANUP_POLICY: Final = "cleanup.policy"
COMPACTION_LAG: Final = "min.compaction.lag.ms"
COMPACT: Final = "compact"
LEAST_COMPACTION_LAG: Final = COMPACTION_LAG_SECONDS * 1000
"""Milliseconds."""
_CONFIGS: Final = (MIN_IN_SYNC, CLEANUP_POLICY, COMPACTION_LAG)
Configs = Mapping[str, Mapping[str, str]]
"""Settings by the topic's full name and the setting's."""


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """The topics as Kafka last described them.

    Attributes:
        in_sync: The brokers of the in-sync replicas, by the topic's full name and the partition.
        configs: The topics' settings, as far as they are known.

    """

    in_sync: Mapping[str, Mapping[int, frozenset[int]]]
    configs: Configs

    def counts(self) -> dict[str, int]:
        """Return the number of partitions by topic."""
        return {topic: len(partitions) for topic, partitions in self.in_sync.items()}

    def accepts_writes(self, responding: Iterable[int], names: Iterable[str]) -> bool:
        """Return whether every partition of some topics accepts writes, given the brokers that respond."""
        available = frozenset(responding)
        return all(
            len(brokers & available) >= int(self.configs.get(name, {}).get(MIN_IN_SYNC, 1))
            for name in names
            for brokers in self.in_sync.get(name, {}).values()
        )

    def unsafe(self, changelogs: Iterable[str]) -> list[str]:
        """Return a sentence for each changelog that may lose rows that count, given their full names."""
        found = []
        for name in changelogs:
            configs = self.configs.get(name, {})
            policy, lag = configs.get(CLEANUP_POLICY, COMPACT), int(configs.get(COMPACTION_LAG, LEAST_COMPACTION_LAG))
            if policy != COMPACT:
                found.append(f"{name} has {CLEANUP_POLICY} {policy} instead of {COMPACT}")
            elif lag < LEAST_COMPACTION_LAG:
                found.append(f"{name} has {COMPACTION_LAG} {lag} instead of {LEAST_COMPACTION_LAG} or more")
        return found


class KafkaWatch:
    """Checks Kafka periodically, so that the web side rejects commands at once while Kafka does not accept writes.

    Attributes:
        available: True while Kafka accepts writes.
        reason: Suffix of the operator's message, with the number of responding brokers; empty if none responds.
        unsafe: A sentence for each changelog that may lose rows that count.

    """

    def __init__(self, bootstrap: str, prefix: str, topics: Sequence[Topic], partitions: int) -> None:
        """Prepare the watch; the first check connects.

        Args:
            bootstrap: Kafka's ``host:port`` list.
            prefix: The topics' prefix in this deployment.
            topics: The topics that the instance reads and writes.
            partitions: The expected number of partitions.

        """
        self._bootstrap = bootstrap
        self._names = tuple(prefix + topic.name for topic in topics)
        self._changelogs = tuple(prefix + topic.name for topic in topics if topic.compacted)
        self._partitions = partitions
        self._client: AIOKafkaClient | None = None
        self._topics: TopicMetadata | None = None
        self._topics_due = 0.0
        self._configs_due = 0.0
        self.available = False
        self.reason = ""
        self.unsafe: Sequence[str] = ()

    async def wait_for_topics(self) -> None:
        """Wait until Kafka has described its topics.

        Raises:
            PartitionsError: If they have another number of partitions than expected.

        """
        while self._topics is None:
            await self._check()
            await asyncio.sleep(0 if self._topics else CHECK_SECONDS)

    async def run(self) -> None:
        """Check until cancelled.

        Raises:
            PartitionsError: Once topics have another number of partitions; an operator may add some at any time.

        """
        while True:
            await self._check()
            raise_if_cancelled()
            await asyncio.sleep(CHECK_SECONDS)

    async def stop(self) -> None:
        """Close the connections; a later check opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _check(self) -> None:
        brokers, responding = await self._query_brokers()
        if responding:
            await self._read_topics(responding[0])
        else:
            # Kafka may come back at other addresses.
            await self.stop()
        available = bool(responding) and (self._topics is None or self._topics.accepts_writes(responding, self._names))
        if available and not self.available:
            log.info("kafka answers")
        elif self.available and not available:
            log.warning("kafka does not answer", brokers=responding)
        self.reason = f": {len(responding)} of {brokers} brokers do, too few to keep records" if responding else ""
        self.available = available

    async def _query_brokers(self) -> tuple[int, list[int]]:
        """Return the number of brokers, and the ids of those that respond."""
        try:
            client = await self._connect()
        except KafkaError:
            return 0, []
        nodes = [broker.nodeId for broker in client.cluster.brokers()]
        responses = await asyncio.gather(*(_send(client, node, MetadataRequest([])) for node in nodes))
        responding = [node for node, response in zip(nodes, responses, strict=True) if response is not None]
        return len(nodes), responding

    async def _read_topics(self, node: int) -> None:
        """Read the topics from a broker if they are due; without a response, the previous metadata stays."""
        now = time.monotonic()
        if self._client is None or now < self._topics_due:
            return
        # By name: a shared Kafka may have thousands of other topics.
        metadata = await _send(self._client, node, MetadataRequest(list(self._names), allow_auto_topic_creation=False))
        if metadata is None:
            return
        self._topics_due = now + TOPICS_SECONDS
        in_sync = _read_in_sync(metadata)
        if len(in_sync) == len(self._names):  # aiokafka would log each missing topic
            self._client.cluster.update_metadata(metadata)
        known = self._topics.configs if self._topics else {}
        names = [name for name in self._names if name in in_sync]
        if names and now >= self._configs_due:
            request = DescribeConfigsRequest([(ConfigResourceType.TOPIC, name, list(_CONFIGS)) for name in names])
            configs = await _send(self._client, node, request)
            if configs is not None:
                self._configs_due = now + CONFIGS_SECONDS
                known = _read_configs(configs)
        self._topics = TopicMetadata(in_sync, known)
        self._note_unsafe(self._topics.unsafe(self._changelogs))
        require_partitions(self._topics.counts(), self._names, self._partitions)

    def _note_unsafe(self, unsafe: Sequence[str]) -> None:
        for each in unsafe:
            if each not in self.unsafe:
                log.error("a changelog may lose rows; see countersign topics check", reason=each)
        self.unsafe = unsafe

    async def _connect(self) -> AIOKafkaClient:
        if self._client is None:
            # A separate client, so that a broker that refuses connections does not block the producers.
            client = AIOKafkaClient(
                bootstrap_servers=self._bootstrap, request_timeout_ms=int(BROKER_TIMEOUT_SECONDS * 1000)
            )
            try:
                await client.bootstrap()
            except BaseException:
                await client.close()
                raise
            self._client = client
        return self._client


async def _send(client: AIOKafkaClient, node: int, request: Any) -> Any | None:
    """Return a broker's response, or None if it does not respond in time."""
    try:
        async with asyncio.timeout(BROKER_TIMEOUT_SECONDS):
            return await client.send(node, request)
    except (KafkaError, OSError, TimeoutError):
        return None


def _read_in_sync(response: Any) -> dict[str, dict[int, frozenset[int]]]:
    """Read the in-sync replicas from a metadata response (Kafka protocol guide, "Metadata API (Key: 3)")."""
    return {
        topic: {partition: frozenset(in_sync) for _error, partition, _leader, _replicas, in_sync, *_ in partitions}
        for error, topic, _internal, partitions in response.topics
        if not error
    }


def _read_configs(response: Any) -> Configs:
    """Read the settings from a DescribeConfigs response."""
    return {
        topic: {name: value for name, value, *_ in settings}
        for error, _message, _kind, topic, settings in response.resources
        if not error
    }
