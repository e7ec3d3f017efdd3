"""Exports spans by OTLP over HTTP, by OpenTelemetry's SDK: in batches from a bounded queue, in a thread of its own.

OpenTelemetry's standard variables configure it (OTEL_EXPORTER_OTLP_…, OTEL_BSP_…, OTEL_TRACES_SAMPLER,
OTEL_RESOURCE_ATTRIBUTES, OTEL_SDK_DISABLED).
"""

import logging
import threading
from collections.abc import Sequence
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

log = structlog.get_logger(__name__)
CLOSE_SECONDS: Final = 1.0
"""How long a stop waits for the last spans to be taken."""


class ReportingExporter(SpanExporter):
    """Exports, and logs once when spans are not taken any more, and once when they are again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export some spans; those that are not taken are dropped."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 -- whatever it is, such as an address that is none, it harms nobody
            self._report(taken=False, reason=type(error).__name__)
            return SpanExportResult.FAILURE
        self._report(taken=result is SpanExportResult.SUCCESS, reason="the receiver is away or refuses them")
        return result

    def _report(self, *, taken: bool, reason: str) -> None:
        if taken and not self._taken:
            log.info("spans are taken again")
        elif self._taken and not taken:
            log.warning("spans are not taken, dropping them", reason=reason)
        self._taken = taken

    def shutdown(self) -> None:
        """Stop."""
        self._exporter.shutdown()


def otlp_processor() -> SpanProcessor:
    """Return what exports spans as they end, to where the standard variables say."""
    # The exporter would log each failed try; ours logs once what matters.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    return BatchSpanProcessor(ReportingExporter(OTLPSpanExporter()))


def make_provider(service: str, instance: str, processor: SpanProcessor) -> TracerProvider:
    """Return what makes an instance's spans.

    Args:
        service: The service's name.
        instance: Tells this instance from the others.
        processor: Takes the spans as they end.

    """
    names = {"service.namespace": "countersign", "service.name": service, "service.instance.id": instance}
    # What operators set by the standard variables goes before our own names.
    resource = Resource.create(names).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


def close_provider(provider: TracerProvider) -> None:
    """Send what is left, for a moment at most."""
    # The processor would wait for 30 s; a thread that is a daemon holds no process up.
    closing = threading.Thread(target=provider.shutdown, daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
