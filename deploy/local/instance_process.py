"""One running instance of a service: its process, its settings, and whether it is ready."""

import http.client
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child, Daemon, tail
from deploy.local.log_files import set_aside

STOP_TIMEOUT_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_PROBE_TIMEOUT_SECONDS: Final = 2.0


class ServiceStartError(Exception):
    """A service ended while it started, or was not ready in time. The text has the last lines of its log."""


def url_of(port: int) -> str:
    """Return the URL that a browser on this machine reaches a service by."""
    return f"http://localhost:{port}"


class InstanceProcess(Daemon):
    """One instance of a service, started and stopped as often as one likes.

    Attributes:
        service: The service's name, for example ``login``.
        name: The instance's own name: the service's, with a number for a second one.
        port: Its TCP port.
        metrics_port: The TCP port of its /metrics, on 127.0.0.1.
        url: Where people and devices reach it.
        log_path: Its log; that of the start before has ``.1`` behind its name.

    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it takes to start one
        self,
        service: str,
        name: str,
        port: int,
        metrics_port: int,
        log_path: Path,
        environment: Mapping[str, str],
    ) -> None:
        """Take what it needs to start.

        Args:
            service: The service's name.
            name: The instance's own name.
            port: The TCP port that it shall listen on.
            metrics_port: The TCP port that it shall serve its metrics on.
            log_path: The file for its output.
            environment: Its settings.

        """
        super().__init__(name, log_path, STOP_TIMEOUT_SECONDS)
        self.service = service
        self.port = port
        self.metrics_port = metrics_port
        self.url = url_of(port)
        self._environment = environment

    def start(self) -> None:
        """Start its process; `await_ready` tells when it serves."""
        set_aside(self.log_path)
        ports = ["--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        command = [sys.executable, "-m", f"services.{self.service}", *ports]
        self._process = Child(command, self.log_path, self._environment)

    def await_ready(self, timeout_seconds: float, tell: Callable[[str], None] = lambda _said: None) -> None:
        """Wait until it serves, for as long as it comes nearer to it.

        Args:
            timeout_seconds: How long it may stand still.
            tell: Told what keeps it from serving, whenever it says something else.

        Raises:
            ServiceStartError: If it ended, or stood still for too long.

        """
        before, deadline = "", time.monotonic() + timeout_seconds
        while (said := self.why_not_ready()) is not None:
            if self.exit_code is not None:
                self._fail(f"ended with status {self.exit_code}")
            if said != before:
                before, deadline = said, time.monotonic() + timeout_seconds
                tell(said)
            if time.monotonic() > deadline:
                self._fail(f"was not ready after {timeout_seconds:.0f} s" + (f": {said}" if said else ""))
            time.sleep(_POLL_SECONDS)

    def is_ready(self) -> bool:
        """Return whether it says that it can serve now."""
        return self.why_not_ready() is None

    def why_not_ready(self) -> str | None:
        """Return what keeps it from serving, in its own words; empty if it does not answer, None if it serves."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PROBE_TIMEOUT_SECONDS)
        try:
            connection.request("GET", "/ready")
            answer = connection.getresponse()
            return None if answer.status == http.client.OK else "; ".join(json.load(answer)["reasons"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def _fail(self, why: str) -> None:
        text = f"The {self.name} service {why}; its log is {self.log_path}:\n{tail(self.log_path)}"
        raise ServiceStartError(text)
