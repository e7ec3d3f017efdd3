"""Judges what Kafka reports of an instance's topics: that they exist, take writes, and have their settings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.topics import Topic
from services.common.kafka.metadata import TopicDescription
from services.common.kafka.topic_settings import MIN_IN_SYNC, setting_differences, topic_settings

REASSIGN: Final = "countersign kafka reassign-partitions"
Configs = Mapping[str, Mapping[str, str]]
"""Settings by the topic's full name and the setting's."""


@dataclass(frozen=True, slots=True)
class TopicRequirements:
    """What an instance requires of its topics.

    Attributes:
        topics: The topics that it reads and writes.
        prefix: The topics' prefix in this deployment.
        partitions: The number of partitions of each.
        replication: The replication factor of each, at least.

    """

    topics: Sequence[Topic]
    prefix: str = ""
    partitions: int = 1
    replication: int = 1

    @property
    def by_name(self) -> Mapping[str, Topic]:
        """The topics by full name."""
        return {f"{self.prefix}{topic.name}": topic for topic in self.topics}

    @property
    def setting_names(self) -> Mapping[str, Sequence[str]]:
        """The names of the settings to read, by the topic's full name."""
        return {
            name: [setting.name for setting in topic_settings(topic, self.replication)]
            for name, topic in self.by_name.items()
        }

    @property
    def mend(self) -> str:
        """The command that creates topics and mends their settings."""
        options = [
            *((f"--topic-prefix {self.prefix}",) if self.prefix else ()),
            f"--partitions {self.partitions}",
            f"--replication {self.replication}",
        ]
        return f"countersign topics apply {' '.join(options)}"


@dataclass(frozen=True, slots=True)
class TopicFindings:
    """What is wrong with topics, as sentences for the operator that name the topic and the way out.

    Attributes:
        missing: Topics that are not there, or that this principal may not see.
        endangering: Topics that may lose records or rows.
        different: Other settings that are not as they must be.

    """

    missing: tuple[str, ...] = ()
    endangering: tuple[str, ...] = ()
    different: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TopicMetadata:
    """The topics as Kafka last described them.

    Attributes:
        described: The topics by full name.
        configs: The topics' settings, as far as they are known.

    """

    described: Mapping[str, TopicDescription]
    configs: Configs = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return the number of partitions by topic, of those that exist."""
        return {name: len(each.partitions) for name, each in self.described.items() if not each.error_code}

    def identities(self) -> dict[str, str]:
        """Return the identities by topic, of those that exist."""
        return {name: each.identity for name, each in self.described.items() if not each.error_code}

    def accepts_writes(self, responding: Iterable[int], names: Iterable[str]) -> bool:
        """Return whether every partition of some topics accepts writes, given the brokers that respond.

        Where min.insync.replicas is more than there are replicas, Kafka takes the smaller number (KIP-966).
        """
        available = frozenset(responding)
        return all(
            len(partition.in_sync & available)
            >= min(int(self.configs.get(name, {}).get(MIN_IN_SYNC, 1)), max(1, len(partition.replicas)))
            for name in names
            if name in self.described
            for partition in self.described[name].partitions.values()
        )

    def findings(self, requirements: TopicRequirements) -> TopicFindings:
        """Return what is wrong with an instance's topics."""
        missing = [*self._missing(requirements)]
        endangering = [*self._replications(requirements)]
        different: list[str] = []
        for name, topic in requirements.by_name.items():
            for difference in setting_differences(topic, name, self.configs.get(name, {}), requirements.replication):
                text = f"{difference}: {requirements.mend}"
                (endangering if difference.endangers else different).append(text)
        return TopicFindings(tuple(missing), tuple(endangering), tuple(different))

    def _missing(self, requirements: TopicRequirements) -> Iterator[str]:
        for name in requirements.by_name:
            topic = self.described.get(name)
            if topic is None or topic.missing:
                yield f"{name} is missing: {requirements.mend}"
            elif topic.forbidden:
                yield f"{name} is missing, or not shown to this principal: countersign topics acls --apply"

    def _replications(self, requirements: TopicRequirements) -> Iterator[str]:
        for name in requirements.by_name:
            partitions = self.described[name].partitions.values() if name in self.described else ()
            fewest = min((len(each.replicas) for each in partitions), default=requirements.replication)
            if fewest < requirements.replication:
                wanted = requirements.replication
                yield f"{name} is replicated on {fewest} brokers instead of {wanted}: {REASSIGN}"


def read_configs(response: Any) -> dict[str, dict[str, str]]:
    """Return the settings by topic from a DescribeConfigs response; a topic whose settings are refused is left out."""
    return {
        topic: {name: value for name, value, *_ in settings}
        for error, _message, _kind, topic, settings in response.resources
        if not error
    }
