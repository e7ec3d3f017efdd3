"""A tree's stack as `make run` starts it: Kafka and the services as processes of their own, measured from outside."""

import http.client
import json
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import lab.bench.seed_program
from deploy.local.child_process import Child, tail
from deploy.local.kafka.embedded import CONTROLLERS_HIGHER
from deploy.local.ports import PortTakenError, free_port, require_free
from deploy.local.stack import METRICS_OFFSET, SERVICES
from lab.bench.broker_counters import CounterError, Counters, java_options, read_counters
from lab.bench.client.site import Site
from lab.bench.trees import LIMITS, Tree
from lab.load.processes import cpu_seconds, resident_bytes
from protocol.jose import thumbprints_of

START_SECONDS: Final = 1800.0
"""A start may take so long: services read a million new accounts for minutes."""
STOP_SECONDS: Final = 60.0
READY_SECONDS: Final = 60.0
STEADY_SECONDS: Final = 3.0
"""Services that were paused lose their Kafka for a moment when they go on; after so long without that they are well."""
_POLL_SECONDS: Final = 0.02
_SEEDING_POLL_SECONDS: Final = 0.2
_RUNS: Final = ("Countersign is running", "Kafka is running")
_KAFKA: Final = "kafka"
_KAFKA_CLASS: Final = "kafka.Kafka"


class DeploymentError(Exception):
    """The stack did not start, was not ready in time, or could not be seeded. The text has the reason."""


@dataclass(frozen=True, slots=True)
class People:
    """Seeded people of one hash.

    Attributes:
        prefix: What stands before the number in each name.
        password: Their password.
        password_hash: Its hash.

    """

    prefix: str
    password: str
    password_hash: str


class Deployment:
    """A stack of a tree, started and stopped as often as one likes, and paused while another one is measured.

    Attributes:
        tree: The tree.

    """

    def __init__(self, tree: Tree, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        """Prepare it; nothing is started yet.

        Args:
            tree: The tree.
            directory: Where all its data is; made if it is absent.
            environment: Settings on top of the limits that are lifted.

        """
        directory.mkdir(parents=True, exist_ok=True)
        self.tree = tree
        self._directory = directory.resolve()
        self._environment = {**LIMITS, **(environment or {})}
        self._ports = {service: _port_with_room(METRICS_OFFSET) for service in SERVICES}
        self._kafka_port = _port_with_room(CONTROLLERS_HIGHER)
        self._counters_port = free_port()
        self._process: Child | None = None
        self._paused = False

    def __enter__(self) -> Self:
        """Use it; `start` starts it."""
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Kafka's address, as ``host:port``."""
        return f"127.0.0.1:{self._kafka_port}"

    @property
    def urls(self) -> dict[str, str]:
        """Each service's URL."""
        return {service: f"http://localhost:{port}" for service, port in self._ports.items()}

    @property
    def log_path(self) -> Path:
        """What `make run` prints."""
        return self._directory / "run.log"

    def start(self, *, services: bool = True, counted: bool = False) -> float:
        """Start it and wait until `make run` says that it runs.

        Args:
            services: Whether the services are started, or Kafka alone.
            counted: Whether Kafka's counters can be read.

        Returns:
            The seconds that it took.

        Raises:
            DeploymentError: If it did not start.

        """
        command = [self.tree.python, "-m", self.tree.run_module, "--data", str(self._directory)]
        for service, port in self._ports.items():
            command += [f"--{service}-port", str(port)]
        command += ["--kafka-port", str(self._kafka_port), "--instances", "1" if services else "0"]
        options = " ".join(
            [os.environ.get("JDK_JAVA_OPTIONS", ""), *java_options(self._counters_port if counted else 0)]
        )
        environment = {**self._environment, "JDK_JAVA_OPTIONS": options, "PYTHONUNBUFFERED": "1"}
        self.log_path.unlink(missing_ok=True)
        started = time.perf_counter()
        self._process = Child(["env", f"--chdir={self.tree.root}", *command], self.log_path, environment)
        deadline = started + START_SECONDS
        while not any(line in self.log_path.read_text() for line in _RUNS):
            if self._process.exit_code is not None or time.perf_counter() > deadline:
                text = f"The stack of the {self.tree.name} did not start:\n{tail(self.log_path)}"
                raise DeploymentError(text)
            time.sleep(_POLL_SECONDS)
        return time.perf_counter() - started

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            self.resume()
            self._process.stop(STOP_SECONDS)
            self._process = None

    def pause(self) -> None:
        """Have all its processes stand still (SIGSTOP), so that they take nothing of the machine."""
        if self._process is not None:
            self._paused = True
            self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Have all its processes go on (SIGCONT)."""
        if self._paused:
            self._paused = False
            self._signal(signal.SIGCONT)

    def await_steady(self) -> None:
        """Wait until all services have been ready for a while.

        Raises:
            DeploymentError: If they are not in time.

        """
        deadline = time.monotonic() + READY_SECONDS
        since = time.monotonic()
        while time.monotonic() - since < STEADY_SECONDS:
            if not all(map(_is_ready, self._ports.values())):
                since = time.monotonic()
            if time.monotonic() > deadline:
                text = f"The services of the {self.tree.name} are not ready:\n{tail(self.log_path)}"
                raise DeploymentError(text)
            time.sleep(_POLL_SECONDS)

    def seed(self, people: People, accounts: int, phones: int, on_made: Callable[[int], None]) -> None:
        """Make what is missing of some people. Kafka runs, and the services do not.

        Args:
            people: Who.
            accounts: How many there shall be.
            phones: How many of them, the first ones, shall have a phone.
            on_made: Takes how many there are.

        Raises:
            DeploymentError: If they could not be made.

        """
        program = str(Path(lab.bench.seed_program.__file__))
        what = [people.prefix, str(accounts), str(phones), people.password_hash]
        log = self._directory / "seed.log"
        log.unlink(missing_ok=True)
        command = [self.tree.python, "-P", program, *self.tree.seeding_modules, *what]
        environment = {**self._seeding_settings(), "PYTHONPATH": str(self.tree.root)}
        running = Child(["env", f"--chdir={self.tree.root}", *command], log, environment)
        try:
            while running.exit_code is None:
                made = [line for line in log.read_text().splitlines() if line.isdecimal()]
                if made:
                    on_made(int(made[-1]))
                time.sleep(_SEEDING_POLL_SECONDS)
        finally:
            running.kill()
        if running.exit_code:
            text = f"The {self.tree.name} could not be seeded:\n{tail(log)}"
            raise DeploymentError(text)

    def site(self, people: People) -> Site:
        """Return where these people play, for the clients."""
        issuer = self.urls["login"]
        return Site(
            # By its address: a new browser would have a thread look "localhost" up.
            login_url=f"http://127.0.0.1:{self._ports['login']}",
            push_url=self.urls["push"],
            issuer=issuer,
            keys=thumbprints_of(_get(self._ports["login"], "/.well-known/jwks.json")),
            prefix=people.prefix,
            password=people.password,
        )

    def pids(self) -> dict[str, int]:
        """Return the process of each service and of Kafka, by name."""
        if self._process is None:
            return {}
        found = {}
        for pid in _children(self._process.pid):
            command = _command(pid)
            for service in SERVICES:
                if f"services.{service}" in command:
                    found[service] = pid
            if _KAFKA_CLASS in command:
                found[_KAFKA] = pid
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """Return how much CPU time each process has used since its start."""
        return {name: cpu_seconds(pid) for name, pid in self.pids().items()}

    def idle_percent(self, seconds: float) -> dict[str, float]:
        """Return the CPU time that each process uses while nothing happens, in per cent of a core.

        Args:
            seconds: How long to look.

        """
        before = self.cpu_seconds()
        time.sleep(seconds)
        after = self.cpu_seconds()
        return {name: 100 * (after[name] - before[name]) / seconds for name in before}

    def resident_bytes(self) -> dict[str, int]:
        """Return the memory of each process."""
        return {name: resident_bytes(pid) for name, pid in self.pids().items()}

    def counters(self) -> Counters:
        """Return Kafka's counters; it was started with them.

        Raises:
            DeploymentError: If they cannot be read.

        """
        try:
            return read_counters(self._counters_port, self._directory / "counters.log")
        except CounterError as error:
            raise DeploymentError(str(error)) from None

    def _seeding_settings(self) -> dict[str, str]:
        common = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "SECRETS_DIRECTORY": str(self._directory / "secrets"),
        }
        settings = {f"{service.upper()}_{name}": value for service in SERVICES for name, value in common.items()}
        issuers = {f"{service.upper()}_ISSUER": self.urls[service] for service in ("login", "pairing")}
        return {**self._environment, **settings, **issuers}

    def _signal(self, number: signal.Signals) -> None:
        """Signal all its processes; `make run`'s own, which starts others again, first when they stop."""
        if self._process is not None:
            pids = [self._process.pid, *_children(self._process.pid)]
            for pid in pids if number is signal.SIGSTOP else reversed(pids):
                os.kill(pid, number)


def _port_with_room(higher: int) -> int:
    """Return a free port for which the one so much higher is free as well."""
    while True:
        port = free_port()
        try:
            require_free(port + higher, "the benchmark")
        except PortTakenError:
            continue
        return port


def _get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=READY_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        return response.status == http.client.OK and json.load(response) is not None
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task")
    try:
        return [int(child) for thread in threads.iterdir() for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\x00", b" ").decode(errors="replace")
    except OSError:
        return ""
