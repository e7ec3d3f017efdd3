"""The parts that every instance needs, built from its service's topology and settings."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, cast

from aiohttp import web

from services.common.clock import new_id
from services.common.decisions import RowT
from services.common.instance.health import Health
from services.common.instance.instance_metrics import CapacityGauge, GroupLag, InstanceMetrics
from services.common.instance.runtime import ServiceInstance
from services.common.kafka.connection import read_connection
from services.common.kafka.dead_letters import DeadLetterWriter
from services.common.kafka.kafka_watch import KafkaWatch
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.membership import KafkaMembership
from services.common.kafka.publisher import Publisher
from services.common.kafka.topic_watch import TopicRequirements
from services.common.rows.sweep import Sweeper
from services.common.rows.table import ServiceTopology, Table
from services.common.rows.view import View
from services.common.settings import ServiceSettings
from services.common.streams.consumer import Processor, StreamConsumer
from services.common.streams.lane import LaneLimits
from services.common.streams.processor import ProcessorParts, RelayProcessor, TableProcessor
from services.common.streams.record_guard import RecordGuard
from services.common.telemetry.telemetry import Telemetry, make_telemetry

Task = Callable[[], Coroutine[Any, Any, None]]


class Base:
    """The parts of one instance: stream processors, views, telemetry and health.

    Attributes:
        settings: Its settings.
        connection: How to reach Kafka.
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
        service, prefix = topology.service, settings.topic_prefix
        connection = read_connection(settings.kafka_bootstrap)
        self.connection: Final = connection
        self._topology: Final = topology
        self._policy: Final = policy
        self.settings: Final = settings
        self.telemetry: Final[Telemetry] = make_telemetry(service, settings)
        self._kafka: Final = KafkaWatch(
            connection, TopicRequirements(topology.topics, prefix, settings.partitions, settings.replication)
        )
        self.publisher: Final = Publisher(
            connection, prefix, service, self.telemetry.tracer, lambda: self._kafka.available
        )
        self.dead_letters: Final = DeadLetterWriter(self.publisher, prefix, service, self.telemetry.metrics)
        self._guard: Final = RecordGuard(self.dead_letters, prefix, service, topology.consumes, self.telemetry)
        self._views: Final[Mapping[str, View[Any]]] = {
            table.name: View(
                KafkaChangelog(connection, f"{prefix}{table.changelog.name}", self.publisher),
                table.model,
                settings.views_directory_of(service),
            )
            for table in topology.tables
        }
        processors = self._processors()
        topics = tuple(dict.fromkeys(topic for each in processors for topic in each.topics))
        membership = KafkaMembership(connection, f"{prefix}{service}", topics, settings.session_timeout_seconds)
        self._stream: Final = StreamConsumer(membership, processors, LaneLimits(), new_id)
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
            connection=self.connection,
            stream=self._stream,
            publisher=self.publisher,
            kafka=self._kafka,
            views=views,
            guard=self._guard,
            health=self.health,
            web=web_side,
            telemetry=self.telemetry,
            tasks=(*tasks, *self._sweepers()),
        )

    def _processors(self) -> list[Processor]:
        """Return a processor for each table and relay."""
        parts = ProcessorParts(
            guard=self._guard,
            publisher=self.publisher,
            metrics=self.telemetry.metrics,
            prefix=self.settings.topic_prefix,
            partitions=self.settings.partitions,
            policy=self._policy,
        )
        tables = [
            TableProcessor(table, self._views[table.name].copy, self._views[table.name].decoded, parts)
            for table in self._topology.tables
        ]
        return [*tables, *(RelayProcessor(relay, parts) for relay in self._topology.relays)]

    def _sweepers(self) -> list[Task]:
        return [
            Sweeper(table.name, table.sweep, self._views[table.name], self._policy, self.publisher).run
            for table in self._topology.tables
            if table.sweep is not None
        ]
