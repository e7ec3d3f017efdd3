"""A Kafka of one node that a program starts, stops and starts again, with its data in a folder."""

import base64
import subprocess
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.kafka.java import java_command
from deploy.kafka.probe import answers
from deploy.kafka.settings import HOST, Node, server_settings
from deploy.ports import free_port, require_free
from deploy.process import Child, tail

STOP_TIMEOUT_SECONDS: Final = 20.0
_FORMAT_TIMEOUT_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.05


class KafkaStartError(Exception):
    """Kafka ended while it started, or did not answer in time. The text has the last lines of its log."""


class EmbeddedKafka:
    """One Kafka node (KRaft: broker and controller in one process) that listens on 127.0.0.1 only.

    Starting it again, on the same folder, goes on with its topics and records; the port may differ.

    Attributes:
        name: What people call it.
        bootstrap: Where clients connect, as ``host:port``.
        log_path: The broker's own log.

    """

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        log_directory: Path | None = None,
        java_options: Sequence[str] = (),
    ) -> None:
        """Prepare it; nothing is started yet.

        Args:
            directory: Where its settings and records are; made if it is absent.
            port: The TCP port for clients; None takes a free one.
            log_directory: Where it logs; None means ``logs`` in its directory.
            java_options: Options of the Java machine on top of the usual ones.

        """
        self._directory = directory.resolve()
        self._wanted_port = port
        self._node = Node(1, port or free_port(), free_port(), self._directory / "data")
        self._java_options = java_options
        self._process: Child | None = None
        self._logs = (log_directory or self._directory / "logs").resolve()
        self.name = "kafka"
        self.bootstrap = f"{HOST}:{self._node.broker_port}"
        self.log_path = self._logs / "kafka.log"

    @property
    def exit_code(self) -> int | None:
        """How its process ended; None while it runs or before it started."""
        return None if self._process is None else self._process.exit_code

    @property
    def pid(self) -> int | None:
        """The id of its process, None before the first start."""
        return None if self._process is None else self._process.pid

    def start(self, timeout_seconds: float = 180.0) -> None:
        """Start it and wait until it answers a client.

        Args:
            timeout_seconds: How long it may take, without the formatting of a new folder.

        Raises:
            PortTakenError: If something listens on its port.
            KafkaMissingError: If its jars have not been fetched.
            KafkaStartError: If it ended or did not answer in time; it does not run then.

        """
        require_free(self._node.broker_port, "Kafka")
        self._logs.mkdir(parents=True, exist_ok=True)
        self._node.data.mkdir(parents=True, exist_ok=True)
        properties = self._directory / "server.properties"
        settings = server_settings(self._node, [self._node])
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (self._node.data / "meta.properties").exists():
            self._format(properties)
        console = self._logs / "kafka-console.log"
        console.unlink(missing_ok=True)
        command = java_command("kafka.Kafka", [str(properties)], self.log_path, self._java_options)
        self._process = Child(command, console)
        self._await_answer(self._process, timeout_seconds)

    def stop(self) -> None:
        """Stop it cleanly, or with SIGKILL if that takes longer than 20 s."""
        if self._process is not None:
            self._process.stop(STOP_TIMEOUT_SECONDS)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def _format(self, properties: Path) -> None:
        # Joined by a sign of equality, since one in 64 begins with a dash.
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ["format", "--standalone", f"--cluster-id={cluster}", "--config", str(properties)]
        command = java_command("kafka.tools.StorageTool", arguments, self.log_path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_SECONDS, check=False)
        if done.returncode:
            text = f"Kafka's folder {self._node.data} could not be made:\n{done.stdout}{done.stderr}"
            raise KafkaStartError(text)

    def _await_answer(self, process: Child, timeout_seconds: float) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not answers(HOST, self._node.broker_port):
            if process.exit_code is not None or time.monotonic() > deadline:
                why = "ended at its start" if process.exit_code is not None else "did not answer in time"
                process.kill()
                text = f"Kafka {why}; its log is {self.log_path}:\n{tail(process.log_path)}\n{tail(self.log_path)}"
                raise KafkaStartError(text)
            time.sleep(_POLL_SECONDS)
