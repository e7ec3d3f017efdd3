"""A Kafka cluster of one or several brokers on one machine, which can be restarted on its directory."""

import base64
import json
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

from deploy.local.kafka.broker import STOP_TIMEOUT_SECONDS, Broker, KafkaStartError
from deploy.local.kafka.protection import Protection
from deploy.local.kafka.settings import THIS_MACHINE, Machine, Node
from deploy.local.ports import free_port

_LAYOUT: Final = "cluster.json"
CONTROLLERS_HIGHER: Final = 10_000


class EmbeddedKafka:
    """A Kafka on this machine. A restart on the same directory keeps its topics and records.

    Attributes:
        brokers: Its nodes.
        bootstrap: Its addresses for clients, ``host:port,…``.

    """

    def __init__(  # noqa: PLR0913 - its place and its parts
        self,
        directory: Path,
        port: int | None = None,
        *,
        brokers: int = 1,
        machines: Sequence[Machine] = (),
        log_directory: Path | None = None,
        protection: Protection | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        """Prepare the cluster; nothing is started yet.

        Args:
            directory: The directory of its settings and records; created if it is missing.
            port: The first broker's TCP port for clients; further brokers take the next ones. Each controller's port
                is 10,000 higher. None takes free ones.
            brokers: The number of brokers, which is fixed once the directory exists.
            machines: The machine of each broker; empty for this machine.
            log_directory: The directory of its logs; default ``logs`` in its directory.
            protection: TLS, users and access rules, fixed once the directory exists; None for none.
            java_options: Further options of the JVM.

        """
        directory = directory.resolve()
        self._directory = directory
        self._layout = _Layout.load(directory) or _Layout.create(brokers, port)
        self._broker_count = brokers
        ports = [free_port() if port is None else port + index for index in range(len(self._layout.controllers))]
        nodes = self._layout.nodes(directory, ports, machines or [THIS_MACHINE] * len(ports))
        logs = (log_directory or directory / "logs").resolve()
        self.brokers = [
            Broker("kafka" if node.id == 1 else f"kafka-{node.id}", node, nodes, logs, java_options, protection)
            for node in nodes
        ]
        self.bootstrap = ",".join(node.broker for node in nodes)
        self._nodes = nodes

    def start(self) -> None:
        """Start it and wait until all its brokers respond.

        Raises:
            PortTakenError: If one of its ports is in use.
            KafkaMissingError: If Kafka's jars are missing.
            KafkaStartError: If its directory has another number of brokers, or it ended or did not respond in time.

        """
        existing = len(self._layout.controllers)
        if existing != self._broker_count:
            text = (
                f"Kafka's directory {self._directory} is for {_brokers(existing)}, not for "
                f"{_brokers(self._broker_count)}. Run it with BROKERS={existing}, or with another directory "
                "(DATA=DIR), or remove all data: make reset."
            )
            raise KafkaStartError(text)
        self.require_ports()
        self._layout.save(self._directory)
        with ThreadPoolExecutor() as threads:
            list(threads.map(self._format, self.brokers))
        try:
            for broker in self.brokers:
                broker.begin()
            for broker in self.brokers:
                broker.await_answer()
        except BaseException:
            self.kill()
            raise

    def require_ports(self) -> None:
        """Check that the ports of all its brokers are free.

        Raises:
            PortTakenError: If one of its ports is in use.

        """
        for broker in self.brokers:
            broker.require_ports()

    def stop(self) -> None:
        """Stop it cleanly; a broker that takes longer than 20 s gets SIGKILL."""
        for broker in self.brokers:
            broker.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for broker in self.brokers:
            broker.stop(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """Send SIGKILL to all brokers, like a crash of the machine."""
        for broker in self.brokers:
            broker.kill()

    def _format(self, broker: Broker) -> None:
        broker.format(self._layout.cluster_id, self._layout.voters(self._nodes))


@dataclass(frozen=True, slots=True)
class _Controller:
    """The permanent identity of a node's controller: its port, and its directory's identifier."""

    port: int
    directory_id: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """The permanent layout of a cluster. The controllers are in the order of the nodes' numbers, from 1."""

    cluster_id: str
    controllers: tuple[_Controller, ...]

    @classmethod
    def create(cls, brokers: int, port: int | None) -> Self:
        ports = [free_port() if port is None else port + CONTROLLERS_HIGHER + index for index in range(brokers)]
        return cls(_identifier(), tuple(_Controller(each, _identifier()) for each in ports))

    @classmethod
    def load(cls, directory: Path) -> Self | None:
        try:
            stored = json.loads((directory / _LAYOUT).read_text())
        except FileNotFoundError:
            return None
        return cls(stored["cluster_id"], tuple(_Controller(**each) for each in stored["controllers"]))

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"{_LAYOUT}.new"
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(directory / _LAYOUT)

    def nodes(self, directory: Path, ports: Sequence[int], machines: Sequence[Machine]) -> tuple[Node, ...]:
        parts = zip(ports, self.controllers, machines, strict=True)
        return tuple(
            Node(number, port, controller.port, directory / f"broker-{number}" / "data", machine)
            for number, (port, controller, machine) in enumerate(parts, start=1)
        )

    def voters(self, nodes: Sequence[Node]) -> list[str]:
        return [
            f"{node.id}@{node.controller}:{controller.directory_id}"
            for node, controller in zip(nodes, self.controllers, strict=True)
        ]


def _identifier() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _brokers(count: int) -> str:
    return "one broker" if count == 1 else f"{count} brokers"
