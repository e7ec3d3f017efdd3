"""The server.properties of a Kafka node, alone or in a cluster."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
FULL_REPLICATION: Final = 3
"""The replication factor if there are enough brokers."""
SESSION_SECONDS: Final = 2.5
"""Session timeout of the services on this Kafka: a killed instance's partitions go to others within 3 s."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine of a node.

    Attributes:
        address: Its IP address.
        enter: The command prefix that runs a command there; empty for this machine.

    """

    address: str = HOST
    enter: tuple[str, ...] = ()


THIS_MACHINE: Final = Machine()


@dataclass(frozen=True, slots=True)
class Node:
    """One Kafka node, broker and controller at once.

    Attributes:
        id: Its number in the cluster, from 1.
        broker_port: Its port for clients.
        controller_port: Its port for the other controllers.
        data: The directory of its records.
        machine: Its machine.

    """

    id: int
    broker_port: int
    controller_port: int
    data: Path
    machine: Machine = THIS_MACHINE

    @property
    def controller(self) -> str:
        """Its address for the other controllers, ``host:port``."""
        return f"{self.machine.address}:{self.controller_port}"

    @property
    def broker(self) -> str:
        """Its address for clients, ``host:port``."""
        return f"{self.machine.address}:{self.broker_port}"


def server_settings(node: Node, cluster: Sequence[Node]) -> dict[str, str]:
    """Return a node's server.properties; `cluster` are all nodes, this one included."""
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
        # Topics are provisioned with the right partitions; a typing error must not create one.
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
        # The services have one consumer group each, so there are no other members to wait for.
        "group.initial.rebalance.delay.ms": 0,
        # Allows sessions that are shorter than Kafka's usual minimum of 6 s.
        "group.min.session.timeout.ms": 2000,
        # After this time, other brokers lead a dead broker's partitions and accept its restart: 3 s instead of 9 s.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 1000,
        # How often the controllers write a record though nothing happens: each is work for an idle machine.
        "metadata.max.idle.interval.ms": 5000,
        # A small machine: a smaller compaction buffer and fewer threads than the defaults.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        "num.network.threads": 2,
        "num.io.threads": 4,
    }
    return {name: str(value) for name, value in settings.items()}
