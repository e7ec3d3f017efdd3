"""The process of one Kafka node, which can be restarted on its data directory."""

import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child, Daemon, tail
from deploy.local.kafka.protection import Protection
from deploy.local.kafka.settings import THIS_MACHINE, Node, server_settings
from deploy.local.ports import require_free
from operations.kafka_tools import java_command, properties_text

START_TIMEOUT_SECONDS: Final = 180.0
STOP_TIMEOUT_SECONDS: Final = 20.0
_FORMAT_TIMEOUT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05
_PROBE_TIMEOUT_SECONDS: Final = 2.0
_METADATA: Final = 3
_CORRELATION: Final = 1
_NO_TOPICS_REQUEST: Final = struct.pack(">hhihi", _METADATA, 1, _CORRELATION, -1, 0)


class KafkaStartError(Exception):
    """Kafka cannot start, ended during its start, or did not respond in time. The text says why, or has its log."""


class Broker(Daemon):
    """One Kafka node (KRaft: broker and controller in one process) that listens on one address only.

    A restart on the same directory keeps its topics and records.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what one process is made of
        self,
        name: str,
        node: Node,
        cluster: Sequence[Node],
        logs: Path,
        java_options: Sequence[str],
        protection: Protection | None,
    ) -> None:
        """Prepare the node; nothing is started yet.

        Args:
            name: Its name, also of its log files.
            node: Its node of the cluster.
            cluster: All nodes of the cluster, this one included.
            logs: The directory of its logs.
            java_options: Further options of the JVM.
            protection: TLS, users and access rules; None for none.

        """
        super().__init__(name, logs / f"{name}.log", STOP_TIMEOUT_SECONDS)
        self._node = node
        self._cluster = cluster
        self._java_options = java_options
        self._protection = protection

    @property
    def data(self) -> Path:
        """The directory of its records."""
        return self._node.data

    def start(self) -> None:
        """Start it and wait until it responds to a client.

        Raises:
            PortTakenError: If its port is in use.
            KafkaMissingError: If Kafka's jars are missing.
            KafkaStartError: If it ended or did not respond in time; it is not running then.

        """
        self.begin()
        self.await_answer()

    def require_ports(self) -> None:
        """Check that its ports are free; ports of another machine are not checked.

        Raises:
            PortTakenError: If one of its ports is in use.

        """
        if self._node.machine != THIS_MACHINE:
            return
        for port in (self._node.broker_port, self._node.controller_port):
            require_free(port, "Kafka")

    def begin(self) -> None:
        """Start its process; `await_answer` waits until it responds."""
        self.require_ports()
        properties = self._write_settings()
        console = self.log_path.with_name(f"{self.name}-console.log")
        console.unlink(missing_ok=True)
        command = java_command("kafka.Kafka", [str(properties)], self.log_path, self._java_options)
        self._process = Child([*self._node.machine.enter, *command], console)

    def await_answer(self) -> None:
        """Wait until it responds to a client."""
        process = self._process
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while process is not None and not self.answers():
            if process.exit_code is not None or time.monotonic() > deadline:
                why = "ended during its start" if process.exit_code is not None else "did not respond in time"
                process.kill()
                text = f"Kafka {why}; its log is {self.log_path}:\n{tail(process.log_path)}\n{tail(self.log_path)}"
                raise KafkaStartError(text)
            time.sleep(_POLL_SECONDS)

    def answers(self) -> bool:
        """Return whether it responds to a client now."""
        address, port = self._node.machine.address, self._node.broker_port
        return _is_open(address, port) if self._protection else _is_ready(address, port)

    def format(self, cluster_id: str, controllers: Sequence[str]) -> None:
        """Format its directory if it is new.

        Args:
            cluster_id: The cluster's id.
            controllers: All controllers of the cluster, as ``id@host:port:directory``.

        """
        if (self._node.data / "meta.properties").exists():
            return
        properties = self._write_settings()
        # With equality signs, since one identifier in 64 starts with a dash.
        arguments = [
            "format",
            f"--cluster-id={cluster_id}",
            f"--initial-controllers={','.join(controllers)}",
            "--config",
            str(properties),
            *(self._protection.users() if self._protection else ()),
        ]
        command = java_command("kafka.tools.StorageTool", arguments, self.log_path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_SECONDS, check=False)
        if done.returncode:
            text = f"Kafka's directory {self._node.data} could not be formatted:\n{done.stdout}{done.stderr}"
            raise KafkaStartError(text)

    def _write_settings(self) -> Path:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._node.data.mkdir(parents=True, exist_ok=True)
        properties = self._node.data.parent / "server.properties"
        settings = server_settings(self._node, self._cluster, self._protection)
        properties.touch(mode=0o600)
        properties.write_text(properties_text(settings))
        return properties


def _is_ready(host: str, port: int) -> bool:
    """Return whether a broker responds and knows at least one live broker: itself, once it has registered.

    A raw request, Metadata version 1 without topics, is faster than any client library. Source: the Kafka protocol
    guide, "Metadata API (Key: 3)".
    """
    try:
        with socket.create_connection((host, port), _PROBE_TIMEOUT_SECONDS) as connection:
            connection.sendall(struct.pack(">i", len(_NO_TOPICS_REQUEST)) + _NO_TOPICS_REQUEST)
            with connection.makefile("rb") as response:
                _size, correlation, brokers = struct.unpack(">iii", response.read(12))
    except (OSError, struct.error):
        return False
    return bool(correlation == _CORRELATION and brokers > 0)


def _is_open(host: str, port: int) -> bool:
    """Return whether a broker takes connections, which it does milliseconds before it has started."""
    try:
        socket.create_connection((host, port), _PROBE_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True
