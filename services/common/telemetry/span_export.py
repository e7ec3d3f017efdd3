"""Export of spans by OTLP over HTTP with OpenTelemetry's SDK: in batches from a bounded queue, in a separate thread.

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
"""Maximum time for the export of the remaining spans at a stop."""


class ReportingExporter(SpanExporter):
    """Exports spans, and logs once when an outage of the receiver begins and once when it ends."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._accepted = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; drop it if the receiver does not accept it."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 -- no error of the export, such as a malformed address, may reach the service
            self._report(accepted=False, reason=type(error).__name__)
            return SpanExportResult.FAILURE
        self._report(accepted=result is SpanExportResult.SUCCESS, reason="the receiver is away or rejects them")
        return result

    def _report(self, *, accepted: bool, reason: str) -> None:
        if accepted and not self._accepted:
            log.info("spans are exported again")
        elif self._accepted and not accepted:
            log.warning("spans are not exported, dropping them", reason=reason)
        self._accepted = accepted

    def shutdown(self) -> None:
        """Stop the exporter."""
        self._exporter.shutdown()


def otlp_processor() -> SpanProcessor:
    """Return a processor that exports ended spans to the configured endpoint."""
    # The SDK logs each failed attempt; `ReportingExporter` logs each outage once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    return BatchSpanProcessor(ReportingExporter(OTLPSpanExporter()))


def make_provider(service: str, instance: str, processor: SpanProcessor) -> TracerProvider:
    """Return the provider of an instance's tracer.

    Args:
        service: The service's name.
        instance: The instance's id.
        processor: Receives the ended spans.

    """
    names = {"service.namespace": "countersign", "service.name": service, "service.instance.id": instance}
    # The standard variables override our own names.
    resource = Resource.create(names).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    return provider


def close_provider(provider: TracerProvider) -> None:
    """Export the remaining spans, for at most `CLOSE_SECONDS`."""
    # The processor itself would wait for 30 s. A daemon thread does not keep the process alive.
    closing = threading.Thread(target=provider.shutdown, daemon=True)
    closing.start()
    closing.join(CLOSE_SECONDS)
