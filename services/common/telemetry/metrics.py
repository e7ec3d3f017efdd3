"""Prometheus metrics of an instance: its registry, and the metrics that all services have.

Names and units follow Prometheus' conventions. Labels have low cardinality, and our own code sets their values: a
topic, a table, a message type, a route, an outcome. No account, device, address or secret is a label.

State such as lag and readiness is read at each scrape (`services.common.instance.instance_metrics`), so it costs
nothing in between.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector

NAMESPACE: Final = "countersign"
DURATIONS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of histogram buckets for work of machines, some of which waits for Kafka."""


class Metrics:
    """The metrics of one instance, in a registry of their own.

    Attributes:
        registry: Served at /metrics.
        decisions: Decisions by table, event type and outcome, each once (`services.common.streams.processor`).
        repeated_events: Redelivered events, which changed nothing, by table.
        outdated_events: Events that are older than what their row has forgotten, and changed nothing, by table.
        decision_seconds: From a received record to the acknowledged row and messages, by table.
        dead_letters: Dead letters, by their original topic.
        unexpected_errors: Unexpected exceptions, by the topic of the record.
        requests: Requests of browsers and devices, by method, route and status.
        request_seconds: Their duration, by route; that of event streams and sockets is the duration of the connection.

    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.decisions = self.counter("decisions", "Events decided, each once.", "table", "event", "outcome")
        self.repeated_events = self.counter("repeated_events", "Events that came again; nothing changed.", "table")
        self.outdated_events = self.counter(
            "outdated_events", "Events older than those that the row has forgotten; nothing changed.", "table"
        )
        self.decision_seconds = self.histogram(
            "decision_duration_seconds", "From a record in hand to its decision in Kafka.", DURATIONS_SECONDS, "table"
        )
        self.dead_letters = self.counter("dead_letters", "Dead letters, by their original topic.", "topic")
        self.unexpected_errors = self.counter("unexpected_errors", "Errors that no rule expects.", "topic")
        self.requests = self.counter("http_requests", "Requests of browsers and devices.", "method", "route", "status")
        self.request_seconds = self.histogram(
            "http_request_duration_seconds", "How long requests took.", DURATIONS_SECONDS, "route"
        )

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Return a new counter; its name in Prometheus is ``countersign_NAME_total``."""
        return Counter(name, meaning, labels, namespace=NAMESPACE, registry=self.registry)

    def histogram(self, name: str, meaning: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        """Return a new histogram; its name ends with its unit."""
        return Histogram(name, meaning, labels, namespace=NAMESPACE, registry=self.registry, buckets=bounds)
