"""What an instance tells of itself to operators: metrics and traces, and how they leave it."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from prometheus_client.aiohttp import make_aiohttp_handler

from services.common.settings import ServiceSettings
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import Tracing

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""OpenTelemetry's own variables; with one of them set, spans are exported there."""
DISABLED: Final = "OTEL_SDK_DISABLED"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one instance tells.

    Attributes:
        metrics: Counted here, served at /metrics on a port of its own.
        tracing: Carries traces on, and exports their spans where an endpoint is set.

    """

    metrics: Metrics = field(default_factory=Metrics)
    tracing: Tracing = field(default_factory=Tracing)


def make_telemetry(service: str, settings: ServiceSettings, environment: Mapping[str, str] = os.environ) -> Telemetry:
    """Return what an instance tells.

    Args:
        service: The service's name.
        settings: The instance's settings.
        environment: Where OpenTelemetry's standard variables are (OTEL_…): they turn traces on.

    """
    disabled = environment.get(DISABLED, "").strip().lower() == "true"
    if disabled or not any(environment.get(name) for name in ENDPOINTS):
        return Telemetry()
    # Only here: OpenTelemetry's libraries take a while to load, and most instances need none of them.
    from services.common.telemetry.spans import ExportedTracing  # noqa: PLC0415

    return Telemetry(tracing=ExportedTracing.by_otlp(service, f"{socket.gethostname()}:{settings.port}"))


def metrics_web(metrics: Metrics) -> web.Application:
    """Return the web application that serves an instance's metrics to Prometheus."""
    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler(metrics.registry))
    return application
