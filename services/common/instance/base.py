"""The parts that every instance needs, built from its service's topology and settings."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from aiohttp import web

from schemas.topics import Topic
from services.common.decisions import RowT
from services.common.instance.health import Health
from services.common.instance.instance_metrics import CapacityGauge, GroupLag, InstanceMetrics
from services.common.instance.runtime import ServiceInstance
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.publisher import Publisher
from services.common.rows.sweep import Sweeper
from services.common.rows.table import ServiceTopology, Table
from services.common.rows.view import View
from services.common.settings import ServiceSettings
from services.common.streams.app import make_stream_app, stream_topic
from services.common.streams.processor import Processor, RelayProcessor, TableProcessor, run_processor
from services.common.streams.record_guard import RecordGuard
from services.common.streams.row_table import RowTable
from services.common.telemetry.telemetry import Telemetry, make_telemetry

Task = Callable[[], Coroutine[Any, Any, None]]


class Base:
    """The parts of one instance: stream processors, views, telemetry and health.

    Attributes:
        settings: Its settings.
        telemetry: Its metrics and traces.
        publisher: Publishes its messages.
        dead_letters: Publishes its dead letters.
        health: Its readiness.

    """

    def __init__(self, topology: ServiceTopology, settings: ServiceSettings, policy: object = None) -> None:
        """Build the parts; nothing runs yet.

        Args:
            topology: The service's tables, relays and topics.
            settings: The instance's settings.
            policy: The policy of its tables' deciders.

        """
        service, prefix, bootstrap = topology.service, settings.topic_prefix, settings.kafka_bootstrap
        self._topology: Final = topology
        self._policy: Final = policy
        self.settings: Final = settings
        self.telemetry: Final[Telemetry] = make_telemetry(service, settings)
        self._kafka: Final = KafkaWatch(bootstrap, prefix, topology.topics, settings.partitions)
        self.publisher: Final = Publisher(
            bootstrap, prefix, service, self.telemetry.tracer, lambda: self._kafka.available
        )
        self.dead_letters: Final = DeadLetterWriter(self.publisher, prefix, service, self.telemetry.metrics)
        self._guard: Final = RecordGuard(self.dead_letters, prefix, service, topology.consumes, self.telemetry)
        self._stream: Final = make_stream_app(service, settings)
        self._declare_processors()
        self._views: Final[Mapping[str, View[Any]]] = {
            table.name: View(
                bootstrap, f"{prefix}{table.changelog.name}", table.model, settings.views_directory_of(service)
            )
            for table in topology.tables
        }
        self.health: Final = Health(self._stream, self._kafka, tuple(self._views.values()), self._guard)

    def view(self, table: Table[RowT]) -> View[RowT]:
        """Return the view of a table's rows."""
        return cast("View[RowT]", self._views[table.name])

    def instance(
        self,
        web_side: web.Application,
        tasks: Sequence[Task] = (),
        readers: Sequence[GroupLag] = (),
        capacities: Sequence[CapacityGauge] = (),
    ) -> ServiceInstance:
        """Return the instance, ready to run.

        Args:
            web_side: Its web application.
            tasks: Further background tasks, each running until cancelled.
            readers: Further consumer groups, whose lag is measured.
            capacities: Its bounded resources.

        """
        views = tuple(self._views.values())
        prefix = self.settings.topic_prefix
        metrics = InstanceMetrics(prefix, self._stream, self.health, views, readers, capacities)
        self.telemetry.metrics.registry.register(metrics)
        return ServiceInstance(
            service=self._topology.service,
            settings=self.settings,
            app=self._stream,
            publisher=self.publisher,
            kafka=self._kafka,
            views=views,
            guard=self._guard,
            health=self.health,
            web=web_side,
            telemetry=self.telemetry,
            tasks=(*tasks, *self._sweepers()),
        )

    def _declare_processors(self) -> None:
        """Declare one Faust agent for each topic of each table and relay."""
        metrics = self.telemetry.metrics
        for table in self._topology.tables:
            rows = RowTable(self._stream, table.name, table.model, self.settings.partitions)
            processor = TableProcessor(table, rows, self._policy, self._guard, self.publisher, metrics)
            self._declare_agents(table.name, table.reads, processor)
        for relay in self._topology.relays:
            self._declare_agents(relay.name, relay.reads, RelayProcessor(relay, self._guard, self.publisher))

    def _declare_agents(self, name: str, reads: Sequence[Topic], processor: Processor) -> None:
        for topic in reads:
            # Faust identifies agents by name; by default, two agents of one function share it.
            agent = self._stream.agent(stream_topic(self._stream, self.settings, topic), name=f"{name}.{topic.name}")
            agent(partial(run_processor, processor))

    def _sweepers(self) -> list[Task]:
        return [
            Sweeper(table.name, table.sweep, self._views[table.name], self._policy, self.publisher).run
            for table in self._topology.tables
            if table.sweep is not None
        ]
