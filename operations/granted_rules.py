"""Compares Kafka's access rules with those that a deployment needs, and adds what is missing.

Source of the numbers: Apache Kafka's `ResourceType`, `PatternType`, `AclOperation` and `AclPermissionType`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from operations.access_rules import AccessRule, Operation, Resource
from services.common.kafka.connection import KafkaConnection

_RESOURCES: Final = {Resource.TOPIC: 2, Resource.GROUP: 3, Resource.CLUSTER: 4}
_OPERATIONS: Final = {
    Operation.READ: 3,
    Operation.WRITE: 4,
    Operation.CREATE: 5,
    Operation.ALTER: 7,
    Operation.DESCRIBE: 8,
    Operation.DESCRIBE_CONFIGS: 10,
    Operation.ALTER_CONFIGS: 11,
}
_ANY: Final = 1
_LITERAL: Final = 3
_ALLOW: Final = 3
_ALL_HOSTS: Final = "*"
_NAMES: Final = {
    **{number: name.value for name, number in _OPERATIONS.items()},
    2: "All",
    6: "Delete",
    9: "ClusterAction",
    12: "IdempotentWrite",
}
_KINDS: Final = {**{number: name.value for name, number in _RESOURCES.items()}, 5: "transactional-id"}
_SECURITY_DISABLED: Final = 54


class AccessRulesError(Exception):
    """Kafka does not take access rules. The text says why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One principal's permission for one operation on one resource.

    Attributes:
        principal: The principal.
        resource: The number of the kind of resource.
        name: The resource's name.
        pattern: The number of the kind of name.
        host: The host from which it holds.
        operation: The operation's number.
        permission: The permission's number: to allow, or to deny.

    """

    principal: str
    resource: int
    name: str
    operation: int
    pattern: int = _LITERAL
    host: str = _ALL_HOSTS
    permission: int = _ALLOW

    def __str__(self) -> str:
        kind, operation = _KINDS.get(self.resource, "resource"), _NAMES.get(self.operation, str(self.operation))
        return f"{self.principal} {operation} {kind} {self.name}"


@dataclass(frozen=True, slots=True)
class AppliedRules:
    """The result of granting rules.

    Attributes:
        added: What was missing.
        present: How many grants were there before.
        further: What the principals may do beyond their rules.

    """

    added: tuple[Grant, ...]
    present: int
    further: tuple[Grant, ...]


async def apply_rules(
    connection: KafkaConnection, rules: Sequence[AccessRule], principal_of: Callable[[str], str]
) -> AppliedRules:
    """Add the grants that are missing; what the principals have beyond them stays. The operation is idempotent.

    Args:
        connection: How to reach Kafka, as a principal that may alter the cluster.
        rules: The rules.
        principal_of: Returns a role's principal.

    Raises:
        AccessRulesError: If Kafka has no authorizer, or does not permit it.
        KafkaError: If it cannot be reached.

    """
    wanted = {
        Grant(principal_of(rule.role), _RESOURCES[rule.resource], name, _OPERATIONS[rule.operation])
        for rule in rules
        for name in rule.names
    }
    client = connection.client()
    try:
        await connection.start_client(client)
        present = {grant for each in {grant.principal for grant in wanted} for grant in await _granted(client, each)}
        added = sorted(wanted - present, key=str)
        for grant in added:
            await _add(client, grant)
    finally:
        await client.close()
    return AppliedRules(tuple(added), len(wanted) - len(added), tuple(sorted(present - wanted, key=str)))


async def _granted(client: AIOKafkaClient, principal: str) -> list[Grant]:
    request = DescribeAclsRequest(_ANY, None, _ANY, principal, None, _ANY, _ANY)
    response = await client.send(client.get_random_node(), request)
    _require(response.error_code, response.error_message)
    return [
        Grant(holder, resource, name, operation, pattern, host, permission)
        for resource, name, pattern, grants in response.resources
        for holder, host, operation, permission in grants
    ]


async def _add(client: AIOKafkaClient, grant: Grant) -> None:
    request = CreateAclsRequest(
        grant.resource, grant.name, grant.pattern, grant.principal, grant.host, grant.operation, grant.permission
    )
    response = await client.send(client.get_random_node(), request)
    for code, message in response.creation_responses:
        _require(code, message)


def _require(code: int, message: Any) -> None:
    if code == _SECURITY_DISABLED:
        text = "this Kafka checks no access rules: set authorizer.class.name on its brokers"
        raise AccessRulesError(text)
    if code:
        error: KafkaError = for_code(code)(message or "")
        raise error
