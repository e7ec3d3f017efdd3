"""Kafka access rules (ACLs): the least rights of the services, of operators' commands and of the audit.

They follow from the services' topologies. Rights of requests: Apache Kafka 4.3, "Authorization and ACLs".
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from operations.deployment import ALL, CHANGELOGS, CONSUMED, TOPOLOGIES
from schemas.topics import Topic
from services.common.rows.table import ServiceTopology

OPERATOR: Final = "operator"
"""Who runs `countersign accounts`, `dlq` and `topics`."""
AUDIT: Final = "audit"
"""Who runs `countersign audit`, `policy` and `proof`."""
CLUSTER: Final = "kafka-cluster"
"""Kafka's only resource of the kind cluster."""


class Resource(StrEnum):
    """The kind of resource, as the tool kafka-acls names it."""

    TOPIC = "topic"
    GROUP = "group"
    CLUSTER = "cluster"


class Operation(StrEnum):
    """The allowed operation, as the tool kafka-acls names it. Read, Write and Alter include Describe."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    ALTER = "Alter"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"
    ALTER_CONFIGS = "AlterConfigs"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A permission on some topics or consumer groups, or on the cluster.

    Attributes:
        role: The service, OPERATOR or AUDIT.
        operation: The allowed operation.
        resource: The kind of resource.
        names: The full names of the topics or groups, sorted.

    """

    role: str
    operation: Operation
    resource: Resource
    names: tuple[str, ...]

    def arguments(self, principal: str) -> list[str]:
        """Return the arguments of the tool kafka-acls that add the rule.

        Args:
            principal: The role's Kafka principal, for example ``User:login``.

        """
        named = [word for name in self.names for word in (f"--{self.resource}", name)]
        if self.resource is Resource.CLUSTER:
            named = [f"--{self.resource}"]
        return ["--add", "--allow-principal", principal, "--operation", self.operation, *named]

    def document(self, principal: str) -> dict[str, Any]:
        """Return the rule as JSON data."""
        return {
            "principal": principal,
            "operation": self.operation.value,
            "resource": self.resource.value,
            "names": list(self.names),
        }


def access_rules(topologies: Iterable[ServiceTopology], prefix: str) -> Iterator[AccessRule]:
    """Yield the minimal access rules of services.

    A service reads the settings of its topics: how long tombstones are kept, and that nothing is lost.

    Args:
        topologies: The services' topologies.
        prefix: The prefix of topics and groups.

    """
    for each in topologies:
        rules = _Rules(each.service, prefix)
        yield rules.on_topics(Operation.READ, (*each.reads, *each.changelogs))
        yield rules.on_topics(Operation.WRITE, (*each.writes, *each.changelogs, *each.dead_letters))
        yield rules.on_topics(Operation.DESCRIBE_CONFIGS, each.topics)
        yield rules.on_groups(Operation.READ, [each])


def operator_rules(prefix: str) -> Iterator[AccessRule]:
    """Yield the access rules of operators' commands and of the audit; rules themselves are a superuser's to change."""
    operator, dead_letters = _Rules(OPERATOR, prefix), tuple(topic.dead_letter for topic in CONSUMED)
    # `topics`: creates, mends and repartitions, and moves rows. `dlq`: reads, marks, and sends to where they came from.
    # `accounts`: reads rows, and writes commands.
    for operation in (
        Operation.CREATE,
        Operation.ALTER,
        Operation.DESCRIBE_CONFIGS,
        Operation.ALTER_CONFIGS,
    ):
        yield operator.on_topics(operation, ALL)
    yield operator.on_topics(Operation.READ, (*CHANGELOGS, *dead_letters))
    yield operator.on_topics(Operation.WRITE, (*CHANGELOGS, *dead_letters, *CONSUMED))
    # Lists all consumer groups: a repartition refuses while an unknown one reads.
    yield AccessRule(OPERATOR, Operation.DESCRIBE, Resource.CLUSTER, (CLUSTER,))
    yield operator.on_groups(Operation.DESCRIBE, TOPOLOGIES)
    audit = _Rules(AUDIT, prefix)
    yield audit.on_topics(Operation.READ, ALL)
    yield audit.on_groups(Operation.DESCRIBE, TOPOLOGIES)


def all_rules(prefix: str) -> list[AccessRule]:
    """Return all access rules of a deployment with this prefix of topics and groups."""
    return [*access_rules(TOPOLOGIES, prefix), *operator_rules(prefix)]


@dataclass(frozen=True, slots=True)
class _Rules:
    role: str
    prefix: str

    def on_topics(self, operation: Operation, topics: Sequence[Topic]) -> AccessRule:
        return AccessRule(
            self.role, operation, Resource.TOPIC, tuple(sorted({f"{self.prefix}{topic.name}" for topic in topics}))
        )

    def on_groups(self, operation: Operation, topologies: Iterable[ServiceTopology]) -> AccessRule:
        names = {f"{self.prefix}{name}" for each in topologies for name in each.groups}
        return AccessRule(self.role, operation, Resource.GROUP, tuple(sorted(names)))
