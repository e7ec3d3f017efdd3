"""Telemetry of an instance: its metrics and its tracer."""

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
"""OpenTelemetry's standard variables; if one is set, the instance exports spans to it."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Metrics and tracer of one instance.

    Attributes:
        metrics: Its metrics, served at /metrics on a separate port.
        tracer: Creates spans; a no-op unless an endpoint is set.
        close: Exports the remaining spans within a time limit.

    """

    metrics: Metrics = field(default_factory=Metrics)
    tracer: Tracer = NO_SPANS
    close: Callable[[], None] = lambda: None


def make_telemetry(service: str, settings: ServiceSettings) -> Telemetry:
    """Return an instance's telemetry; OpenTelemetry's standard variables (OTEL_…) enable the export of spans.

    Args:
        service: The service's name.
        settings: The instance's settings.

    """
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return Telemetry()
    # Imported here because the SDK takes time to load, and most instances do not need it.
    from services.common.telemetry.span_export import close_provider, make_provider, otlp_processor  # noqa: PLC0415

    provider = make_provider(service, f"{socket.gethostname()}:{settings.port}", otlp_processor())
    return Telemetry(tracer=provider.get_tracer("countersign"), close=partial(close_provider, provider))


def metrics_web(metrics: Metrics) -> web.Application:
    """Return the web application that serves an instance's metrics to Prometheus."""
    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler(metrics.registry))
    return application
