"""What an instance counts, for Prometheus: its registry, and the metrics that all services have.

Names and units follow Prometheus' conventions. Every label has few values, which our own code gives: a topic, a table,
a message type, a route, an outcome. No account, device, address or secret is ever one.

What only has to be looked at, such as how many people wait, is read when the metrics are asked for
(`services.common.instance.instance_metrics`) and costs nothing until then.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, PlatformCollector, ProcessCollector

NAMESPACE: Final = "countersign"
DURATIONS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of what machines do; some of it waits for Kafka."""


class Metrics:
    """The metrics of one instance, in a registry of their own.

    Attributes:
        registry: What is served at /metrics.
        decisions: Decisions by table, event type and outcome, each once (`services.common.streams.processor`).
        repeated_events: Events that came again and changed nothing, by table.
        decision_seconds: From a record in hand to its row and what follows in Kafka, by table.
        dead_letters: Records set aside, by the topic that they came from.
        unexpected_errors: Errors that no rule expects, by the topic of the record.
        requests: Requests of browsers and devices, by method, route and status.
        request_seconds: How long they took, by route; streams and sockets last as long as somebody waits.

    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.decisions = self.counter("decisions", "Events decided, each once.", "table", "event", "outcome")
        self.repeated_events = self.counter("repeated_events", "Events that came again; nothing changed.", "table")
        self.decision_seconds = self.histogram(
            "decision_duration_seconds", "From a record in hand to its decision in Kafka.", DURATIONS_SECONDS, "table"
        )
        self.dead_letters = self.counter("dead_letters", "Records set aside as unusable.", "topic")
        self.unexpected_errors = self.counter("unexpected_errors", "Errors that no rule expects.", "topic")
        self.requests = self.counter("http_requests", "Requests of browsers and devices.", "method", "route", "status")
        self.request_seconds = self.histogram(
            "http_request_duration_seconds", "How long requests took.", DURATIONS_SECONDS, "route"
        )

    def counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Return a new counter; Prometheus sees its name with ``countersign_`` before and ``_total`` behind it."""
        return Counter(name, meaning, labels, namespace=NAMESPACE, registry=self.registry)

    def histogram(self, name: str, meaning: str, bounds: tuple[float, ...], *labels: str) -> Histogram:
        """Return a new histogram; its name ends in its unit."""
        return Histogram(name, meaning, labels, namespace=NAMESPACE, registry=self.registry, buckets=bounds)
