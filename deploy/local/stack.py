"""Countersign on one machine: Kafka, the topics and the services, for `make run`, `make demo` and end-to-end tests."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local.child_process import Daemon
from deploy.local.instance_process import STOP_TIMEOUT_SECONDS, InstanceProcess, url_of
from deploy.local.kafka.embedded import EmbeddedKafka
from deploy.local.kafka.settings import FULL_REPLICATION, SESSION_SECONDS, Machine
from deploy.local.ports import free_port, require_free
from operations.kafka_tools import SHORT_LIVED
from operations.topics import AppliedTopics, apply_topics
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.security import KafkaSecurity

SERVICES: Final = {"pairing": 8200, "push": 8300, "login": 8100}
"""The services with their default ports, in the order of their start."""
METRICS_OFFSET: Final = 500
"""Distance from an instance's chosen port to its metrics port."""
READY_TIMEOUT_SECONDS: Final = 180.0
ProgressDisplay = Callable[[str], AbstractContextManager[Callable[[str], None]]]
"""Displays a step for the duration of its context, which yields a function that takes the progress."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The options of a stack. By default it starts its own Kafka and uses free ports.

    Attributes:
        directory: The directory of all data: Kafka's, the services', secrets and logs.
        ports: The port of each service's first instance; further instances take the next ones. A missing service gets
            free ports. The metrics ports are METRICS_OFFSET higher, or free ones.
        instances: The number of instances of each service; 0 starts only Kafka.
        fronts: The port of the proxy in front of each service; a missing service has no proxy.
        kafka_port: The port of Kafka's first broker; further brokers take the next ones. None takes free ones.
        brokers: The number of brokers of the started Kafka.
        short_lived: Whether that Kafka lives only for minutes, so that its start matters more than its speed.
        machines: The machine of each broker; empty for this machine.
        kafka_bootstrap: A running Kafka, as ``host:port``; None starts one.
        security: TLS and credentials of the operator towards Kafka.
        host: The address on which the services listen. Kafka always listens on 127.0.0.1.
        topic_prefix: The topics' prefix.
        partitions: The number of partitions of each topic.
        environment: Settings of all services as environment variables.
        environment_of: Returns further variables of one instance, by its name.

    """

    directory: Path
    ports: Mapping[str, int] = field(default_factory=dict)
    instances: int = 1
    fronts: Mapping[str, int] = field(default_factory=dict)
    kafka_port: int | None = None
    brokers: int = 1
    short_lived: bool = False
    machines: Sequence[Machine] = ()
    kafka_bootstrap: str | None = None
    security: KafkaSecurity = field(default_factory=KafkaSecurity)
    host: str = "127.0.0.1"
    topic_prefix: str = ""
    partitions: int = 4
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_of: Callable[[str], Mapping[str, str]] = field(default=lambda _name: {})


class Stack:
    """Kafka and the services, started and stopped together.

    Attributes:
        instances: The running instances by name; each service's first one has the service's name.
        kafka: The Kafka that it started; None if it uses a running one.
        bootstrap: Kafka's addresses, ``host:port,…``.
        connection: How the operator reaches Kafka.
        topic_prefix: The topics' prefix.
        logs: The directory of all log files.
        secrets: The directory of all keys and passwords.

    """

    def __init__(self, options: StackOptions, step: ProgressDisplay | None = None) -> None:
        """Prepare the stack; nothing is started yet.

        Args:
            options: Its options.
            step: Displays progress; default nothing.

        """
        self._options = options
        self._step: ProgressDisplay = step or (lambda _title: nullcontext(lambda _progress: None))
        self._root = root = options.directory.resolve()
        self.logs = root / "logs"
        self.secrets = root / "secrets"
        self._data = root / "data"
        self.kafka = (
            None
            if options.kafka_bootstrap
            else EmbeddedKafka(
                root / "kafka",
                options.kafka_port,
                brokers=options.brokers,
                machines=options.machines,
                log_directory=self.logs,
                java_options=SHORT_LIVED if options.short_lived else (),
            )
        )
        self.bootstrap = self.kafka.bootstrap if self.kafka else options.kafka_bootstrap or ""
        self.connection = KafkaConnection(self.bootstrap, options.security)
        self.topic_prefix = options.topic_prefix
        self._replication = min(len(self.kafka.brokers), FULL_REPLICATION) if self.kafka else 1
        self._ports = {service: options.ports.get(service) or free_port() for service in SERVICES}
        self.instances: dict[str, InstanceProcess] = {}
        for service, port in self._ports.items() if options.instances else ():
            self.instances[service] = self._instance(service, service, port)
        for service in SERVICES:
            for index in range(1, options.instances):
                self._add_instance(service, options.ports[service] + index if service in options.ports else free_port())

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def urls(self) -> dict[str, str]:
        """The URL of each instance by its name, without a trailing slash."""
        return {name: instance.url for name, instance in self.instances.items()}

    def start(self) -> None:
        """Start all and wait until all serve. Whatever fails, nothing of it runs on.

        Raises:
            PortTakenError: If a port is in use; nothing has been started then.
            KafkaMissingError: If Kafka's jars have not been fetched.
            KafkaStartError: If Kafka did not start.
            TopicsError: If a topic could not be made.
            ServiceStartError: If a service did not start.

        """
        try:
            self.start_kafka()
            self.start_services()
        except BaseException:
            self.stop()
            raise

    def start_kafka(self) -> None:
        """Start Kafka and create the topics; the caller must call `stop`, even after an error."""
        self._require_ports()
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.logs, self.secrets, self._data, self._root / "kafka"):
            directory.mkdir(mode=0o700, exist_ok=True)
            directory.chmod(0o700)
        if self.kafka:
            with self._step("Kafka"):
                self.kafka.start()
        with self._step("Topics"):
            self.apply_topics()

    def start_services(self) -> None:
        """Start the services after Kafka, and wait until they serve."""
        # In parallel, since each spends most of its start on imports.
        for instance in self.instances.values():
            instance.start()
        for instance in self.instances.values():
            with self._step(f"Service {instance.name}") as on_progress:
                instance.await_ready(READY_TIMEOUT_SECONDS, on_progress)

    def stop(self) -> None:
        """Stop the services in parallel, then Kafka, which they need for their stop."""
        started: list[Daemon] = [*self.instances.values()]
        if self.kafka:
            started.extend(self.kafka.brokers)
        if all(each.pid is None or each.exit_code is not None for each in started):
            return
        with self._step("Stopping"):
            for instance in self.instances.values():
                instance.terminate()
            deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
            for instance in self.instances.values():
                instance.stop(max(0.0, deadline - time.monotonic()))
            if self.kafka:
                self.kafka.stop()

    def data_directory(self, name: str) -> Path:
        """Return the directory of an instance's tables and views, which are copies of the changelogs."""
        return self._data / name

    def apply_topics(self) -> AppliedTopics:
        """Create the missing topics."""
        options = self._options
        # In a thread, since the caller may run in an event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            work = apply_topics(self.connection, options.topic_prefix, options.partitions, self._replication)
            return thread.submit(asyncio.run, work).result()

    def kill_service(self, name: str) -> None:
        """Send SIGKILL to an instance, like a crash; `restart_service` restarts it."""
        self.instances[name].kill()

    def restart_service(self, name: str) -> None:
        """Restart an instance on the same port and data, and wait until it serves."""
        instance = self.instances[name]
        instance.stop()
        instance.start()
        instance.await_ready(READY_TIMEOUT_SECONDS)

    def start_second_instance(self, service: str) -> InstanceProcess:
        """Start another instance of a service, on a free port and its own data, and wait until it serves."""
        instance = self._add_instance(service, free_port())
        instance.start()
        instance.await_ready(READY_TIMEOUT_SECONDS)
        return instance

    def environment(self, service: str) -> dict[str, str]:
        """Return the settings that all instances of a service share, as environment variables."""
        options = self._options
        settings = {
            "HOST": options.host,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "TOPIC_PREFIX": options.topic_prefix,
            "PARTITIONS": str(options.partitions),
            "REPLICATION": str(self._replication),
            "SECRETS_DIRECTORY": str(self.secrets),
        }
        if self.kafka is not None:
            settings["SESSION_TIMEOUT_SECONDS"] = str(SESSION_SECONDS)
        settings |= self._addresses(service)
        if service in options.fronts:
            settings |= {"PUBLIC_URL": url_of(options.fronts[service]), "TRUSTED_PROXIES": "1"}
        return {f"{service.upper()}_{name}": value for name, value in settings.items()} | dict(options.environment)

    def _addresses(self, service: str) -> dict[str, str]:
        """Return the settings of a service with its issuer URL and the other services' URLs."""
        public = {**self._ports, **self._options.fronts}
        login, pairing, push = (url_of(public[each]) for each in ("login", "pairing", "push"))
        return {
            "login": {"ISSUER": login, "AUTHENTICATOR_URL": push},
            "pairing": {"ISSUER": pairing},
            "push": {"PAIRING_URL": pairing, "ISSUER_URLS": json.dumps([login])},
        }[service]

    def _instance(self, service: str, name: str, port: int) -> InstanceProcess:
        own = {
            f"{service.upper()}_DATA_DIRECTORY": str(self.data_directory(name)),
            **self._options.environment_of(name),
        }
        metrics_port = port + METRICS_OFFSET if service in self._options.ports else free_port()
        return InstanceProcess(
            service, name, port, metrics_port, self.logs / f"{name}.log", self.environment(service) | own
        )

    def _add_instance(self, service: str, port: int) -> InstanceProcess:
        number = 1 + sum(1 for instance in self.instances.values() if instance.service == service)
        instance = self._instance(service, f"{service}-{number}", port)
        self.instances[instance.name] = instance
        return instance

    def _require_ports(self) -> None:
        for instance in self.instances.values():
            require_free(instance.port, f"the {instance.service} service", self._options.host)
            require_free(instance.metrics_port, f"the {instance.service} service (for its metrics)")
        if self.kafka:
            self.kafka.require_ports()
