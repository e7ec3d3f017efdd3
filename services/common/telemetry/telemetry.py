"""What an instance reports to operators: metrics and traces, and how they leave it."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from aiohttp import web
from opentelemetry.trace import Tracer
from prometheus_client.aiohttp import make_aiohttp_handler

from services.common.settings import ServiceSettings
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import NO_SPANS

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables; with one of them set, spans are exported there."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one instance reports.

    Attributes:
        metrics: Counted here, served at /metrics on a port of its own.
        tracer: Makes spans where an endpoint is set, and none elsewhere.
        close: Sends the spans that are left, for a moment at most.

    """

    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer = NO_SPANS
    close: Callable[[], None] = lambda: None


def make_telemetry(service: str, settings: ServiceSettings) -> Telemetry:
    """Return what an instance reports; OpenTelemetry's standard variables (OTEL_…) turn spans on.

    Args:
        service: The service's name.
        settings: The instance's settings.

    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return Telemetry()
    # Only here: OpenTelemetry's SDK takes a while to load, and most instances do not need it.
    from services.common.telemetry.span_export import close_provider, make_provider, otlp_processor  # noqa: PLC0415

    provider = make_provider(service, f"{socket.gethostname()}:{settings.port}", otlp_processor())
    return Telemetry(tracer=provider.get_tracer("countersign"), close=partial(close_provider, provider))


def metrics_web(metrics: Metrics) -> web.Application:
    """Return the web application that serves an instance's metrics to Prometheus."""
    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler(metrics.registry))
    return application
