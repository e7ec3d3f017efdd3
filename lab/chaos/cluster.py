"""The cluster that is broken: brokers, instances and the proxy before them, each with what it takes to break it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from deploy.local.instance_process import InstanceProcess
from deploy.local.kafka.broker import Broker
from deploy.local.ports import free_port
from deploy.local.stack import SERVICES, Stack, StackOptions
from deploy.local.supervisor import Restartable, Supervisor
from lab.chaos.clocks import Clocks
from lab.chaos.disks import Disks
from lab.chaos.front import Front
from lab.chaos.network import Network
from operations.repartition.checks import under_replicated

log = structlog.get_logger(__name__)
LOOK_SECONDS: Final = 0.5
CHALLENGE_SECONDS: Final = 30
UNREADY_SECONDS: Final = 2
SETTINGS: Final = {
    # People sign in far more often here than elsewhere, and no limit stops them for that.
    "LOGIN_CHALLENGE_SECONDS": str(CHALLENGE_SECONDS),
    "LOGIN_CHALLENGES_MOST": "20",
    "LOGIN_CHALLENGES_WINDOW_SECONDS": "1",
    "LOGIN_DENIALS_TRIES": "1000000",
    "LOGIN_PASSWORDS_TRIES": "1000000",
    "LOGIN_ADDRESSES_TRIES": "1000000",
    "PAIRING_NETWORKS_TRIES": "1000000",
    "PUSH_MOST_STRANGERS_PER_NETWORK": "1000000",
    "LOGIN_PASSWORDS_CLOSE_AFTER": "1000000",
    "LOGIN_SIGN_INS_TRIES": "1000000",
    "LOGIN_CODES_TRIES": "1000000",
    "LOGIN_CODES_CLOSE_AFTER": "1000000",
    "LOGIN_RECOVERY_CODES_TRIES": "1000000",
    "LOGIN_RECOVERY_CODES_CLOSE_AFTER": "1000000",
    "LOGIN_PHRASES_TRIES": "1000000",
    # The proxy looks every half second.
    **{f"{service.upper()}_UNREADY_SECONDS": str(UNREADY_SECONDS) for service in SERVICES},
}


class Cluster:
    """Kafka and the services as operators run them: several of everything, and a supervisor that starts what ended.

    Attributes:
        stack: Kafka and the instances.
        network: The brokers' network.
        clocks: The instances' clocks.
        disks: The instances' disks.
        urls: Where people and devices find each service.
        unsupervised: The names of the brokers and instances that the supervisor leaves alone now.

    """

    def __init__(self, directory: Path, brokers: int, instances: int, partitions: int) -> None:
        """Prepare it; nothing is started yet.

        Args:
            directory: Where all its data is.
            brokers: How many brokers there are.
            instances: How many instances of each service.
            partitions: Partitions of each topic.

        """
        self.network = Network(brokers)
        self.clocks = Clocks(directory / "clocks")
        fronts = {service: free_port() for service in SERVICES}
        options = StackOptions(
            directory,
            instances=instances,
            fronts=fronts,
            brokers=brokers,
            partitions=partitions,
            short_lived=True,
            machines=self.network.machines,
            environment=SETTINGS,
            environment_of=self.clocks.environment,
        )
        self.stack = Stack(options)
        self.disks = Disks(directory / "data", self.stack.instances)
        self.urls = {service: f"http://localhost:{port}" for service, port in fronts.items()}
        self._front = Front(directory, {port: self._ports(service) for service, port in fronts.items()})
        self.unsupervised: set[str] = set()

    @property
    def brokers(self) -> list[Broker]:
        """The brokers, in order."""
        return self.stack.kafka.brokers if self.stack.kafka else []

    @property
    def instances(self) -> list[InstanceProcess]:
        """The instances, in the order of their names."""
        return [self.stack.instances[name] for name in sorted(self.stack.instances)]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start everything; stop it at the end, whatever ends it, and only then take its disks away."""
        with self.disks.mounted():
            try:
                self.stack.start()
                self._front.start()
                yield
            finally:
                self._front.stop()
                self.stack.stop()

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Start again what ends by itself, as `make run` does."""
        supervisor = asyncio.create_task(self._supervise())
        try:
            yield
        finally:
            supervisor.cancel()
            await asyncio.gather(supervisor, return_exceptions=True)

    def of(self, service: str) -> list[InstanceProcess]:
        """Return a service's instances."""
        return [instance for instance in self.instances if instance.service == service]

    def controller(self) -> int:
        """Return the number, from 1, of the broker that leads the controllers, as far as the brokers know."""
        known = [leader for broker in self.brokers if (leader := _leader(broker)) is not None]
        return max(known)[1] if known else 1

    async def problem(self) -> str:
        """Return what is not as it must be, in words; empty when all is as it must be."""
        silent = [each.name for each in self.brokers if not await asyncio.to_thread(each.answers)]
        if silent:
            return f"no answer from {', '.join(silent)}"
        unready = [each.name for each in self.instances if not await asyncio.to_thread(each.is_ready)]
        if unready:
            return f"not ready: {', '.join(unready)}"
        return await self._missing_replicas()

    async def _missing_replicas(self) -> str:
        admin = self.stack.connection.admin(request_timeout_ms=5000)
        try:
            await admin.start()
            topics = await admin.describe_topics()
        except (KafkaError, OSError) as error:
            return f"Kafka does not answer: {error!r}"
        finally:
            await admin.close()
        lacking = under_replicated({topic["topic"]: topic["partitions"] for topic in topics})
        return f"{len(lacking)} partitions lack replicas" if lacking else ""

    def _ports(self, service: str) -> list[int]:
        return [instance.port for instance in self.of(service)]

    async def _supervise(self) -> None:
        supervisors = [Supervisor(each, log.warning) for each in self._daemons()]
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for supervisor in supervisors:
                if supervisor.subject.name not in self.unsupervised:
                    await asyncio.to_thread(supervisor.check, time.monotonic())

    def _daemons(self) -> list[Restartable]:
        return [*self.instances, *self.brokers]


def _leader(broker: Broker) -> tuple[int, int] | None:
    """Return the epoch and the number of the controllers' leader, as a broker has it on its disk."""
    try:
        state = json.loads((broker.data / "__cluster_metadata-0" / "quorum-state").read_text())
    except (OSError, ValueError):
        return None
    return (state["leaderEpoch"], state["leaderId"]) if state.get("leaderId", -1) > 0 else None
