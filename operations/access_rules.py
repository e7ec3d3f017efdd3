"""What each service may do in a Kafka that checks: access rules (ACLs), as the services' topologies have them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.common.rows.table import ServiceTopology


class Resource(StrEnum):
    """What a rule is about, as Kafka's tool calls it."""

    TOPIC = "topic"
    GROUP = "group"


class Operation(StrEnum):
    """What may be done, as Kafka's tool calls it. Each allows to describe as well."""

    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """What a service may do with some topics or groups.

    Attributes:
        service: Who.
        operation: What.
        resource: With what kind of thing.
        names: With which ones, with the deployment's prefix; sorted.

    """

    service: str
    operation: Operation
    resource: Resource
    names: tuple[str, ...]

    def arguments(self, principal: str) -> list[str]:
        """Return the arguments with which Kafka's tool kafka-acls adds the rule.

        Args:
            principal: Who the service is to Kafka, such as ``User:login``.

        """
        named = [word for name in self.names for word in (f"--{self.resource}", name)]
        return ["--add", "--allow-principal", principal, "--operation", self.operation, *named]


def access_rules(topologies: Iterable[ServiceTopology], prefix: str) -> Iterator[AccessRule]:
    """Give all that services need, and nothing more.

    Args:
        topologies: The services.
        prefix: What stands before the names of topics and groups.

    """
    for each in topologies:
        reads = {f"{prefix}{topic.name}" for topic in (*each.reads, *each.changelogs)}
        writes = {f"{prefix}{topic.name}" for topic in (*each.writes, *each.changelogs, *each.dead_letters)}
        groups = {f"{prefix}{name}" for name in each.groups}
        yield AccessRule(each.service, Operation.READ, Resource.TOPIC, tuple(sorted(reads)))
        yield AccessRule(each.service, Operation.WRITE, Resource.TOPIC, tuple(sorted(writes)))
        yield AccessRule(each.service, Operation.READ, Resource.GROUP, tuple(sorted(groups)))
