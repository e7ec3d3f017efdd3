"""All of Countersign on one machine: Kafka, topics, the services. For `make run`, `make demo` and end-to-end tests."""

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
from deploy.local.kafka.settings import FULL_REPLICATION, Machine
from deploy.local.ports import free_port, require_free
from operations.kafka_tools import SHORT_LIVED
from operations.topics import AppliedTopics, apply_topics

SERVICES: Final = {"pairing": 8200, "push": 8300, "login": 8100}
"""The services, each with the port that people know, in the order of their start."""
METRICS_OFFSET: Final = 500
"""An instance whose port is chosen serves its metrics on the port so much above it."""
READY_TIMEOUT_SECONDS: Final = 180.0
ProgressDisplay = Callable[[str], AbstractContextManager[Callable[[str], None]]]
"""Shows that something is being done, for as long as its context lasts, which takes how far it is."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What a stack is made of. The defaults are a stack of its own on free ports.

    Attributes:
        directory: Where all its data is: Kafka's, the services', secrets and logs.
        ports: The port of each service's first instance, of further ones the next ones; a service that is not named
            gets free ones. The metrics of each are METRICS_OFFSET above, or on free ones.
        instances: How many instances of each service there are; none leaves Kafka and the topics.
        fronts: The port of the proxy before each service, for people and devices; a service that is not named has none.
        kafka_port: The port of Kafka's first broker, of further ones the next ones; None takes free ones.
        brokers: How many brokers a Kafka that is started has.
        short_lived: Whether that Kafka lives for minutes alone, so that its start matters more than its speed.
        machines: Where each of them runs; none means all of them here.
        kafka_bootstrap: A Kafka that runs already, as ``host:port``; None starts one.
        host: The address that the services listen on. Kafka listens on 127.0.0.1 in any case.
        topic_prefix: What stands before each topic's name.
        partitions: Partitions of each topic.
        environment: Settings for all services, by the names of their environment variables.
        environment_of: Gives variables of one instance alone, by its name.

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
    host: str = "127.0.0.1"
    topic_prefix: str = ""
    partitions: int = 4
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_of: Callable[[str], Mapping[str, str]] = field(default=lambda _name: {})


class Stack:
    """Kafka and the services, started and stopped together.

    Attributes:
        instances: The running instances by name; each service's first one has the service's name.
        kafka: The Kafka that it started; None where it uses one that ran already.
        bootstrap: Kafka's addresses, as ``host:port,…``.
        topic_prefix: What stands before each topic's name.
        logs: The folder of all log files.
        secrets: The folder of all keys and passwords.

    """

    def __init__(self, options: StackOptions, step: ProgressDisplay | None = None) -> None:
        """Prepare it; nothing is started yet.

        Args:
            options: What it is made of.
            step: Shows progress to whoever waits; default nothing.

        """
        self._options = options
        self._step: ProgressDisplay = step or (lambda _title: nullcontext(lambda _said: None))
        root = options.directory.resolve()
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
        self.topic_prefix = options.topic_prefix
        self._ports = {service: options.ports.get(service) or free_port() for service in SERVICES}
        self.instances: dict[str, InstanceProcess] = {}
        for service, port in self._ports.items() if options.instances else ():
            self.instances[service] = self._instance(service, service, port)
        for service in SERVICES:
            for place in range(1, options.instances):
                self._add_instance(service, options.ports[service] + place if service in options.ports else free_port())

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
        """Start Kafka alone, and make the topics; whoever does this calls `stop` whatever fails."""
        self._require_ports()
        for directory in (self.logs, self.secrets, self._data):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.kafka:
            with self._step("Kafka"):
                self.kafka.start()
        with self._step("Topics"):
            self.apply_topics()

    def start_services(self) -> None:
        """Start the services, once Kafka runs, and wait until they serve."""
        # Together, because each spends most of its start on its own imports; waited for one by one.
        for instance in self.instances.values():
            instance.start()
        for instance in self.instances.values():
            with self._step(f"Service {instance.name}") as tell:
                instance.await_ready(READY_TIMEOUT_SECONDS, tell)

    def stop(self) -> None:
        """Stop all: the services together, then Kafka, which they need for their own stop."""
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
        """Return the folder of an instance's tables and views: its copy of what Kafka has."""
        return self._data / name

    def apply_topics(self) -> AppliedTopics:
        """Make the topics that are missing."""
        options = self._options
        replication = min(len(self.kafka.brokers), FULL_REPLICATION) if self.kafka else 1
        # In a thread, so that this can be called where an event loop runs already.
        with ThreadPoolExecutor(max_workers=1) as thread:
            work = apply_topics(self.bootstrap, options.topic_prefix, options.partitions, replication)
            return thread.submit(asyncio.run, work).result()

    def kill_service(self, name: str) -> None:
        """End an instance with SIGKILL, as a crash would; `restart_service` starts it again."""
        self.instances[name].kill()

    def restart_service(self, name: str) -> None:
        """Stop an instance, if it runs, start it again on the same port and data, and wait until it serves."""
        instance = self.instances[name]
        instance.stop()
        instance.start()
        instance.await_ready(READY_TIMEOUT_SECONDS)

    def start_second_instance(self, service: str) -> InstanceProcess:
        """Start one more instance of a service, on a free port and data of its own, and wait until it serves."""
        instance = self._add_instance(service, free_port())
        instance.start()
        instance.await_ready(READY_TIMEOUT_SECONDS)
        return instance

    def environment(self, service: str) -> dict[str, str]:
        """Return the settings of a service, as all its instances have them, by their environment variables' names."""
        options = self._options
        settings = {
            "HOST": options.host,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "TOPIC_PREFIX": options.topic_prefix,
            "PARTITIONS": str(options.partitions),
            "SECRETS_DIRECTORY": str(self.secrets),
        }
        settings |= self._addresses(service)
        if service in options.fronts:
            settings |= {"PUBLIC_URL": url_of(options.fronts[service]), "TRUSTED_PROXIES": "1"}
        return {f"{service.upper()}_{name}": value for name, value in settings.items()} | dict(options.environment)

    def _addresses(self, service: str) -> dict[str, str]:
        """Return what a service is told of the others' addresses and of the one that it signs as."""
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
