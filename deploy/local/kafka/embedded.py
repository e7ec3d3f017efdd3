"""A Kafka of one or several brokers that a program starts, stops and starts again, with its data in a folder."""

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
from deploy.local.kafka.settings import THIS_MACHINE, Machine, Node
from deploy.local.ports import free_port

_LAYOUT: Final = "cluster.json"
CONTROLLERS_HIGHER: Final = 10_000


class EmbeddedKafka:
    """A Kafka on this machine. Starting it again, on the same folder, goes on with its topics and records.

    Attributes:
        brokers: Its nodes.
        bootstrap: Where clients connect, as a list ``host:port,…``.

    """

    def __init__(  # noqa: PLR0913 - where it is and what it is made of
        self,
        directory: Path,
        port: int | None = None,
        *,
        brokers: int = 1,
        machines: Sequence[Machine] = (),
        log_directory: Path | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        """Prepare it; nothing is started yet.

        Args:
            directory: Where its settings and records are; made if it is absent.
            port: The TCP port for clients, of further brokers the next ones; controllers listen 10,000 higher. None
                takes free ones.
            brokers: How many there are. A folder keeps the number that it was made with.
            machines: Where each of them runs; none means all of them here.
            log_directory: Where it logs; None means ``logs`` in its directory.
            java_options: Options of the Java machine on top of the usual ones.

        """
        directory = directory.resolve()
        self._directory = directory
        self._layout = _Layout.kept(directory) or _Layout.fresh(brokers, port)
        self._wanted = brokers
        ports = [free_port() if port is None else port + place for place in range(len(self._layout.controllers))]
        nodes = self._layout.nodes(directory, ports, machines or [THIS_MACHINE] * len(ports))
        logs = (log_directory or directory / "logs").resolve()
        self.brokers = [
            Broker("kafka" if node.id == 1 else f"kafka-{node.id}", node, nodes, logs, java_options) for node in nodes
        ]
        self.bootstrap = ",".join(node.broker for node in nodes)
        self._nodes = nodes

    def start(self) -> None:
        """Start it and wait until all its brokers answer.

        Raises:
            PortTakenError: If something listens on one of its ports.
            KafkaMissingError: If Kafka's jars have not been fetched.
            KafkaStartError: If it was made with another number of brokers, ended, or did not answer in time.

        """
        made = len(self._layout.controllers)
        if made != self._wanted:
            text = (
                f"Kafka's folder {self._directory} was made for {_brokers(made)}, not for {_brokers(self._wanted)}. "
                f"Run it with BROKERS={made}, or with another folder (DATA=DIR), or remove all data: make reset."
            )
            raise KafkaStartError(text)
        self.require_ports()
        self._layout.keep(self._directory)
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
        """Check that all its brokers can listen.

        Raises:
            PortTakenError: If something listens on one of its ports.

        """
        for broker in self.brokers:
            broker.require_ports()

    def stop(self) -> None:
        """Stop it cleanly, or with SIGKILL what takes longer than 20 s."""
        for broker in self.brokers:
            broker.terminate()
        deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
        for broker in self.brokers:
            broker.stop(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """End it with SIGKILL, as a crash of the machine would."""
        for broker in self.brokers:
            broker.kill()

    def _format(self, broker: Broker) -> None:
        broker.format(self._layout.cluster_id, self._layout.voters(self._nodes))


@dataclass(frozen=True, slots=True)
class _Controller:
    """What a node has for good: the others find it by its port and know it by its folder's identifier."""

    port: int
    directory_id: str


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a cluster is made of. The order of the controllers is that of the nodes' numbers, from 1."""

    cluster_id: str
    controllers: tuple[_Controller, ...]

    @classmethod
    def fresh(cls, brokers: int, port: int | None) -> Self:
        ports = [free_port() if port is None else port + CONTROLLERS_HIGHER + place for place in range(brokers)]
        return cls(_identifier(), tuple(_Controller(each, _identifier()) for each in ports))

    @classmethod
    def kept(cls, directory: Path) -> Self | None:
        try:
            kept = json.loads((directory / _LAYOUT).read_text())
        except FileNotFoundError:
            return None
        return cls(kept["cluster_id"], tuple(_Controller(**each) for each in kept["controllers"]))

    def keep(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"{_LAYOUT}.new"
        draft.write_text(json.dumps(asdict(self), indent=1))
        draft.replace(directory / _LAYOUT)

    def nodes(self, directory: Path, ports: Sequence[int], machines: Sequence[Machine]) -> tuple[Node, ...]:
        places = zip(ports, self.controllers, machines, strict=True)
        return tuple(
            Node(number, port, controller.port, directory / f"broker-{number}" / "data", machine)
            for number, (port, controller, machine) in enumerate(places, start=1)
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
