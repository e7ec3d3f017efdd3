"""What an instance can tell of its state, read at the moment that Prometheus asks, so that it costs nothing before."""

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
    """Something that reads in a consumer group."""

    def lag(self) -> Mapping[tuple[str, int], int]:
        """Return how many records are not finished yet, by topic and partition of this instance."""


@dataclass(frozen=True, slots=True)
class CapacityGauge:
    """Something of which an instance takes so many and no more.

    Attributes:
        name: The metric's name, a plural.
        meaning: What they are.
        taken: Tells how many there are.
        most: How many there may be.

    """

    name: str
    meaning: str
    taken: Callable[[], int]
    most: int


@dataclass(frozen=True, slots=True, eq=False)
class InstanceMetrics(Collector):
    """Reads the state of one instance.

    Attributes:
        prefix: What stands before each topic's name, and is left out of the labels.
        app: Its Faust app.
        health: Knows whether it can serve.
        views: Its read views.
        readers: What reads in a consumer group beside Faust.
        capacities: What it has limited room for.

    """

    prefix: str
    app: faust.App
    health: Health
    views: Sequence[View[Any]]
    readers: Sequence[GroupLag] = field(default=())
    capacities: Sequence[CapacityGauge] = field(default=())

    def collect(self) -> Iterator[Metric]:
        """Read everything."""
        yield from self._readiness()
        yield from self._lag()
        yield from self._recovery()
        yield from self._views()
        for room in self.capacities:
            yield _gauge(room.name, room.meaning, room.taken())
            yield _gauge(f"{room.name}_limit", f"How many it takes. {room.meaning}", room.most)

    def _readiness(self) -> Iterator[Metric]:
        troubles = self.health.reasons()
        yield _gauge("ready", "1 if the instance can serve.", not troubles)
        yield _gauge("kafka_up", "1 while enough of Kafka's brokers answer to take writes.", self.health.kafka)
        reasons = {(trouble.name.lower(),): trouble in troubles for trouble in NotReadyReason}
        yield _gauges("not_ready", "1 for each reason that keeps the instance from serving.", ("reason",), reasons)

    def _lag(self) -> Iterator[Metric]:
        lags = dict(cast(DrainedConsumer, self.app.consumer).lag()) if self.app.started else {}
        for reader in self.readers:
            lags.update(reader.lag())
        samples = {(self._name(topic), str(partition)): lag for (topic, partition), lag in lags.items()}
        meaning = "Records that this instance has yet to finish, of the partitions that are its own."
        yield _gauges("consumer_lag_records", meaning, ("topic", "partition"), samples)

    def _recovery(self) -> Iterator[Metric]:
        tables = cast(DrainedTableManager, self.app.tables)
        recovering = not tables.actives_ready
        yield _gauge("recovering", "1 while tables are not up to date, so that nothing is decided.", recovering)
        remaining = tables.recovery.active_remaining_total() if recovering and self.app.started else 0
        yield _gauge(
            "recovery_remaining_records", "Changelog records that the tables still have to read.", max(0, remaining)
        )
        seconds = tables.last_recovery_seconds
        yield _gauge("last_recovery_seconds", "How long decisions stood still at the last rebalance.", seconds)

    def _views(self) -> Iterator[Metric]:
        by_topic = {(self._name(view.topic),): view for view in self.views}
        topic = ("topic",)
        lags = {labels: view.lag_stats.lag for labels, view in by_topic.items()}
        yield _gauges("view_lag_records", "Records that a view has yet to read.", topic, lags)
        rows = {labels: view.size for labels, view in by_topic.items()}
        yield _gauges("view_rows", "Rows that a view shows, about.", topic, rows)
        stale = CounterMetricFamily(
            _named("stale_rows"), "Stale rows that a view left aside as they came.", labels=topic
        )
        delay = SummaryMetricFamily(_named("view_delay_seconds"), "From a row's writing to its showing.", labels=topic)
        for labels, view in by_topic.items():
            kept = view.lag_stats
            stale.add_metric(labels, kept.stale)
            delay.add_metric(labels, count_value=kept.delays, sum_value=kept.delay_seconds)
        yield from (stale, delay)

    def _name(self, topic: str) -> str:
        return topic.removeprefix(self.prefix)


def _named(name: str) -> str:
    return f"{NAMESPACE}_{name}"


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(_named(name), meaning, value=float(value))


def _gauges(name: str, meaning: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(_named(name), meaning, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, float(value))
    return family
