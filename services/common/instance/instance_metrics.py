"""The state of an instance as Prometheus metrics, collected at each scrape."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import faust
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from services.common.instance.health import Health, NotReadyReason
from services.common.rows.view import View
from services.common.streams.faust_consumer import DrainedConsumer
from services.common.streams.faust_patches import DrainedTableManager
from services.common.telemetry.metrics import NAMESPACE


class GroupLag(Protocol):
    """The lag of a consumer group."""

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return the number of unfinished records, by topic and partition of this instance."""


@dataclass(frozen=True, slots=True)
class CapacityGauge:
    """A bounded resource of an instance.

    Attributes:
        name: The metric's name, a plural.
        description: The metric's description.
        count: Returns the current number.
        limit: The maximum number.

    """

    name: str
    description: str
    count: Callable[[], int]
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class InstanceMetrics(Collector):
    """Collects the state of one instance.

    Attributes:
        prefix: The topics' prefix, which the labels leave out.
        app: Its Faust app.
        health: Its readiness.
        views: Its read views.
        readers: Its consumer groups beside Faust's.
        capacities: Its bounded resources.

    """

    prefix: str
    app: faust.App
    health: Health
    views: Sequence[View[Any]]
    readers: Sequence[GroupLag] = field(default=())
    capacities: Sequence[CapacityGauge] = field(default=())

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        yield from self._readiness()
        yield from self._lag()
        yield from self._recovery()
        yield from self._views()
        for capacity in self.capacities:
            yield _gauge(capacity.name, capacity.description, capacity.count())
            yield _gauge(f"{capacity.name}_limit", f"Upper limit. {capacity.description}", capacity.limit)

    def _readiness(self) -> Iterator[Metric]:
        reasons = self.health.reasons()
        yield _gauge("ready", "1 if the instance is ready.", not reasons)
        yield _gauge("kafka_up", "1 while enough brokers respond for Kafka to accept writes.", self.health.kafka)
        samples = {(reason.name.lower(),): reason in reasons for reason in NotReadyReason}
        yield _gauges("not_ready", "1 for each reason why the instance is not ready.", ("reason",), samples)

    def _lag(self) -> Iterator[Metric]:
        lags = dict(cast(DrainedConsumer, self.app.consumer).lag()) if self.app.started else {}
        for reader in self.readers:
            lags.update(reader.lag())
        samples = {(self._name(topic), str(partition)): lag for (topic, partition), lag in lags.items()}
        description = "Unfinished records in the partitions of this instance."
        yield _gauges("consumer_lag_records", description, ("topic", "partition"), samples)

    def _recovery(self) -> Iterator[Metric]:
        tables = cast(DrainedTableManager, self.app.tables)
        recovering = not tables.actives_ready
        yield _gauge("recovering", "1 while the tables recover; decisions are suspended.", recovering)
        remaining = tables.recovery.active_remaining_total() if recovering and self.app.started else 0
        yield _gauge(
            "recovery_remaining_records", "Changelog records that the recovery has yet to read.", max(0, remaining)
        )
        seconds = tables.last_recovery_seconds
        yield _gauge("last_recovery_seconds", "How long the last rebalance suspended decisions.", seconds)

    def _views(self) -> Iterator[Metric]:
        by_topic = {(self._name(view.topic),): view for view in self.views}
        topic = ("topic",)
        lags = {labels: view.lag_stats.lag for labels, view in by_topic.items()}
        yield _gauges("view_lag_records", "Records that a view has yet to read.", topic, lags)
        rows = {labels: view.size for labels, view in by_topic.items()}
        yield _gauges("view_rows", "Rows of a view, estimated.", topic, rows)
        stale = CounterMetricFamily(_metric_name("stale_rows"), "Stale rows that a view ignored.", labels=topic)
        delay = SummaryMetricFamily(
            _metric_name("view_delay_seconds"), "Time from the write of a row until the view shows it.", labels=topic
        )
        for labels, view in by_topic.items():
            stats = view.lag_stats
            stale.add_metric(labels, stats.stale)
            delay.add_metric(labels, count_value=stats.delays, sum_value=stats.delay_seconds)
        yield from (stale, delay)

    def _name(self, topic: str) -> str:
        return topic.removeprefix(self.prefix)


def _metric_name(name: str) -> str:
    return f"{NAMESPACE}_{name}"


def _gauge(name: str, description: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(_metric_name(name), description, value=float(value))


def _gauges(name: str, description: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(_metric_name(name), description, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family
