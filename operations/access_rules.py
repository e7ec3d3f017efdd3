"""Kafka access rules (ACLs) of the services, derived from their topologies."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from services.common.rows.table import ServiceTopology


class Resource(StrEnum):
    """The kind of resource, as the tool kafka-acls names it."""

    TOPIC = "topic"
    GROUP = "group"


class Operation(StrEnum):
    """The allowed operation, as the tool kafka-acls names it; each includes Describe."""

    READ = "Read"
    WRITE = "Write"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """A permission of a service on some topics or consumer groups.

    Attributes:
        service: The service.
        operation: The allowed operation.
        resource: The kind of resource.
        names: The full names of the topics or groups, sorted.

    """

    service: str
    operation: Operation
    resource: Resource
    names: tuple[str, ...]

    def arguments(self, principal: str) -> list[str]:
        """Return the arguments of the tool kafka-acls that add the rule.

        Args:
            principal: The service's Kafka principal, for example ``User:login``.

        """
        named = [word for name in self.names for word in (f"--{self.resource}", name)]
        return ["--add", "--allow-principal", principal, "--operation", self.operation, *named]


def access_rules(topologies: Iterable[ServiceTopology], prefix: str) -> Iterator[AccessRule]:
    """Yield the minimal access rules of services.

    Args:
        topologies: The services' topologies.
        prefix: The prefix of topics and groups.

    """
    for each in topologies:
        reads = {f"{prefix}{topic.name}" for topic in (*each.reads, *each.changelogs)}
        writes = {f"{prefix}{topic.name}" for topic in (*each.writes, *each.changelogs, *each.dead_letters)}
        groups = {f"{prefix}{name}" for name in each.groups}
        yield AccessRule(each.service, Operation.READ, Resource.TOPIC, tuple(sorted(reads)))
        yield AccessRule(each.service, Operation.WRITE, Resource.TOPIC, tuple(sorted(writes)))
        yield AccessRule(each.service, Operation.READ, Resource.GROUP, tuple(sorted(groups)))
