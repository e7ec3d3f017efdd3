"""What the broker is told: its server.properties, for one node or one of several."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
FULL_REPLICATION: Final = 3
"""As many brokers keep each record, where there are so many."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a node runs.

    Attributes:
        address: Its IP address.
        enter: The words before a command that run it there; none for this machine itself.

    """

    address: str = HOST
    enter: tuple[str, ...] = ()


THIS_MACHINE: Final = Machine()


@dataclass(frozen=True, slots=True)
class Node:
    """One Kafka node, broker and controller at once.

    Attributes:
        id: Its number in the cluster, from 1.
        broker_port: Where clients connect.
        controller_port: Where the other controllers connect.
        data: The folder of its records.
        machine: Where it runs.

    """

    id: int
    broker_port: int
    controller_port: int
    data: Path
    machine: Machine = THIS_MACHINE

    @property
    def controller(self) -> str:
        """Where the other controllers connect, as ``host:port``."""
        return f"{self.machine.address}:{self.controller_port}"

    @property
    def broker(self) -> str:
        """Where clients connect, as ``host:port``."""
        return f"{self.machine.address}:{self.broker_port}"


def server_settings(node: Node, cluster: Sequence[Node]) -> dict[str, str]:
    """Return a node's settings, as server.properties names them.

    Args:
        node: The node.
        cluster: All nodes of the cluster, this one included.

    """
    replication = min(len(cluster), FULL_REPLICATION)
    in_sync = max(1, replication - 1)
    listeners = f"BROKER://{node.broker},CONTROLLER://{node.controller}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": node.id,
        "controller.quorum.bootstrap.servers": ",".join(each.controller for each in cluster),
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "BROKER",
        "log.dirs": node.data.resolve(),
        # A topic exists because it was provisioned, with the right partitions; a typing error must not make one.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replication,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": 3,
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.num.partitions": 3,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 3,
        "share.coordinator.state.topic.replication.factor": replication,
        "share.coordinator.state.topic.min.isr": in_sync,
        # The services start one by one, each in a group of its own: there is nobody to wait for.
        "group.initial.rebalance.delay.ms": 0,
        # For who wants a dead instance to be missed sooner than Kafka's own least allows, 6 s.
        "group.min.session.timeout.ms": 2000,
        # Others lead a dead broker's partitions after so long, and its own next start is let in: 3 s instead of 9 s.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        # One small machine: a smaller compaction buffer and fewer threads than a server's defaults.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    return {name: str(value) for name, value in settings.items()}
