"""The state of an instance as Prometheus metrics, collected at each scrape."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from services.common.instance.health import Health, NotReadyReason
from services.common.rows.view import View
from services.common.streams.consumer import StreamConsumer
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
        stream: Its stream consumer.
        health: Its readiness.
        views: Its read views.
        readers: Its consumer groups beside the processors'.
        capacities: Its bounded resources.

    """

    prefix: str
    stream: StreamConsumer
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
        lags = dict(self.stream.lag())
        for reader in self.readers:
            lags.update(reader.lag())
        samples = {(self._name(topic), str(partition)): lag for (topic, partition), lag in lags.items()}
        description = "Unfinished records in the partitions of this instance."
        yield _gauges("consumer_lag_records", description, ("topic", "partition"), samples)

    def _recovery(self) -> Iterator[Metric]:
        description = "1 while this instance may not decide in all of its partitions yet."
        yield _gauge("taking_over", description, not self.stream.ready)
        description = "How long the last rebalance kept this instance from deciding."
        yield _gauge("last_takeover_seconds", description, self.stream.last_takeover_seconds)

    def _views(self) -> Iterator[Metric]:
        by_topic = {(self._name(view.topic),): view for view in self.views}
        topic = ("topic",)
        lags = {labels: view.lag_stats.lag for labels, view in by_topic.items()}
        yield _gauges("view_lag_records", "Records that a view has yet to read.", topic, lags)
        rows = {labels: view.size for labels, view in by_topic.items()}
        yield _gauges("view_rows", "Rows of a view, estimated.", topic, rows)
        void = CounterMetricFamily(
            _metric_name("void_records"), "Records of owners that had lost the partition.", labels=topic
        )
        delay = SummaryMetricFamily(
            _metric_name("view_delay_seconds"), "Time from the write of a row until the view shows it.", labels=topic
        )
        for labels, view in by_topic.items():
            stats = view.lag_stats
            void.add_metric(labels, stats.void)
            delay.add_metric(labels, count_value=stats.delays, sum_value=stats.delay_seconds)
        yield from (void, delay)

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
