"""One Kafka node as a process: started, stopped and started again, with its data in a folder."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child, Daemon, tail
from deploy.local.kafka.probe import answers
from deploy.local.kafka.settings import THIS_MACHINE, Node, server_settings
from deploy.local.ports import require_free
from operations.kafka_tools import java_command

START_TIMEOUT_SECONDS: Final = 180.0
STOP_TIMEOUT_SECONDS: Final = 20.0
_FORMAT_TIMEOUT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


class KafkaStartError(Exception):
    """Kafka cannot start, ended at its start, or did not answer in time. The text says why, or has its last lines."""


class Broker(Daemon):
    """One Kafka node (KRaft: broker and controller in one process) that listens on one address only.

    Starting it again, on the same folder, goes on with its topics and records.
    """

    def __init__(self, name: str, node: Node, cluster: Sequence[Node], logs: Path, java_options: Sequence[str]) -> None:
        """Prepare it; nothing is started yet.

        Args:
            name: What people call it; its log files begin with that.
            node: What it is in its cluster.
            cluster: All nodes of the cluster, this one included.
            logs: Where it logs.
            java_options: Options of the Java machine on top of the usual ones.

        """
        super().__init__(name, logs / f"{name}.log", STOP_TIMEOUT_SECONDS)
        self._node = node
        self._cluster = cluster
        self._java_options = java_options

    @property
    def data(self) -> Path:
        """The folder of its records."""
        return self._node.data

    def start(self) -> None:
        """Start it and wait until it answers a client.

        Raises:
            PortTakenError: If something listens on its port.
            KafkaMissingError: If Kafka's jars have not been fetched.
            KafkaStartError: If it ended or did not answer in time; it does not run then.

        """
        self.begin()
        self.await_answer()

    def require_ports(self) -> None:
        """Check that it can listen. On another machine that is not looked at.

        Raises:
            PortTakenError: If something listens on one of its ports.

        """
        if self._node.machine != THIS_MACHINE:
            return
        for port in (self._node.broker_port, self._node.controller_port):
            require_free(port, "Kafka")

    def begin(self) -> None:
        """Start its process; `await_answer` tells when it answers."""
        self.require_ports()
        properties = self._write_settings()
        console = self.log_path.with_name(f"{self.name}-console.log")
        console.unlink(missing_ok=True)
        command = java_command("kafka.Kafka", [str(properties)], self.log_path, self._java_options)
        self._process = Child([*self._node.machine.enter, *command], console)

    def await_answer(self) -> None:
        """Wait until it answers a client."""
        process = self._process
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while process is not None and not self.answers():
            if process.exit_code is not None or time.monotonic() > deadline:
                why = "ended at its start" if process.exit_code is not None else "did not answer in time"
                process.kill()
                text = f"Kafka {why}; its log is {self.log_path}:\n{tail(process.log_path)}\n{tail(self.log_path)}"
                raise KafkaStartError(text)
            time.sleep(_POLL_SECONDS)

    def answers(self) -> bool:
        """Return whether it answers a client now."""
        return answers(self._node.machine.address, self._node.broker_port)

    def format(self, cluster_id: str, controllers: Sequence[str]) -> None:
        """Prepare its folder, unless that was done before.

        Args:
            cluster_id: The cluster that it becomes a node of.
            controllers: All its controllers, as ``id@host:port:directory``.

        """
        if (self._node.data / "meta.properties").exists():
            return
        properties = self._write_settings()
        # Joined by a sign of equality, since one identifier in 64 begins with a dash.
        arguments = [
            "format",
            f"--cluster-id={cluster_id}",
            f"--initial-controllers={','.join(controllers)}",
            "--config",
            str(properties),
        ]
        command = java_command("kafka.tools.StorageTool", arguments, self.log_path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_SECONDS, check=False)
        if done.returncode:
            text = f"Kafka's folder {self._node.data} could not be made:\n{done.stdout}{done.stderr}"
            raise KafkaStartError(text)

    def _write_settings(self) -> Path:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._node.data.mkdir(parents=True, exist_ok=True)
        properties = self._node.data.parent / "server.properties"
        settings = server_settings(self._node, self._cluster)
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return properties
