"""The process of one service instance: its settings, start and readiness."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child, Daemon, rotate_log, tail

STOP_TIMEOUT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_PROBE_TIMEOUT_SECONDS: Final = 2.0


class ServiceStartError(Exception):
    """A service ended during its start, or was not ready in time. The text contains the end of its log."""


def url_of(port: int) -> str:
    """Return the URL of a service for browsers on this machine."""
    return f"http://localhost:{port}"


class InstanceProcess(Daemon):
    """One instance of a service, which can be restarted.

    Attributes:
        service: The service's name, for example ``login``.
        name: The instance's name: the service's, with a number from the second instance on.
        port: Its TCP port.
        metrics_port: The TCP port of /metrics, on 127.0.0.1.
        url: Its URL for people and devices.
        log_path: Its log; the previous run's log has the suffix ``.1``.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parameters of one process
        self,
        service: str,
        name: str,
        port: int,
        metrics_port: int,
        log_path: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Prepare the instance; `environment` are its settings."""
        super().__init__(name, log_path, STOP_TIMEOUT_SECONDS)
        self.service = service
        self.port = port
        self.metrics_port = metrics_port
        self.url = url_of(port)
        self._environment = environment

    def start(self) -> None:
        """Start its process; `await_ready` waits until it serves."""
        rotate_log(self.log_path)
        ports = ["--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        command = [sys.executable, "-m", f"services.{self.service}", *ports]
        self._process = Child(command, self.log_path, self._environment)

    def await_ready(self, timeout_seconds: float, on_progress: Callable[[str], None] = lambda _reason: None) -> None:
        """Wait until it serves, as long as it makes progress.

        Args:
            timeout_seconds: Maximum time without progress.
            on_progress: Takes the reason why it is not ready, whenever that changes.

        Raises:
            ServiceStartError: If it ended, or made no progress in time.

        """
        previous, deadline = "", time.monotonic() + timeout_seconds
        while (reason := self.not_ready_reason()) is not None:
            if self.exit_code is not None:
                self._fail(f"ended with status {self.exit_code}")
            if reason != previous:
                previous, deadline = reason, time.monotonic() + timeout_seconds
                on_progress(reason)
            if time.monotonic() > deadline:
                self._fail(f"was not ready after {timeout_seconds:.0f} s" + (f": {reason}" if reason else ""))
            time.sleep(_POLL_SECONDS)

    def is_ready(self) -> bool:
        """Return whether it is ready now."""
        return self.not_ready_reason() is None

    def not_ready_reason(self) -> str | None:
        """Return the reasons from /ready; empty if it does not respond, None if it is ready."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PROBE_TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/ready")
            response = connection.getresponse()
            return None if response.status == http.client.OK else "; ".join(json.load(response)["reasons"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def _fail(self, why: str) -> None:
        text = f"The {self.name} service {why}; its log is {self.log_path}:\n{tail(self.log_path)}"
        raise ServiceStartError(text)
