"""Spans of each trace, exported by OTLP: a request served, an event sent to Kafka, an event decided.

The tree follows the traceparent in the headers: a request's span is the parent of the command's, that of the
decision's, that of each event's which it leads to. A span id in a header is that of the span itself.

An event's span has an id that follows from the event's id. So a decision that is repeated publishes the same headers
again (docs/adr/0003-save-then-publish.md), and rows that remember a traceparent remember the same.

Attributes are names of ours, counts and ids of events: no key, no body, no header, no text of an error.

Sources: OpenTelemetry semantic conventions 1.40, HTTP spans (server) and messaging spans (Kafka); configured by the
standard variables (OTEL_EXPORTER_OTLP_…, OTEL_BSP_…, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES).
"""

import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Self

import structlog
from aiohttp import web
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from services.common.telemetry.route_names import method_of, route_of
from services.common.telemetry.tracing import Came, Served, Tracing, continue_trace, current_traceparent, is_traceparent

log = structlog.get_logger(__name__)
CLOSE_SECONDS: Final = 1.0
"""How long a stop waits for the last spans to be taken."""
_ids: ContextVar[tuple[int | None, int | None]] = ContextVar("span_ids", default=(None, None))


class _EventIds(RandomIdGenerator):
    """Random ids, but for those that were chosen."""

    def generate_trace_id(self) -> int:
        return _ids.get()[0] or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return _ids.get()[1] or super().generate_span_id()


class ReportingExporter(SpanExporter):
    """Exports, and says once when spans are not taken any more, and once when they are again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export some spans; those that are not taken are dropped."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 -- whatever it is, such as an address that is none, it harms nobody
            self._tell(taken=False, reason=type(error).__name__)
            return SpanExportResult.FAILURE
        self._tell(taken=result is SpanExportResult.SUCCESS, reason="the receiver is away or refuses them")
        return result

    def _tell(self, *, taken: bool, reason: str) -> None:
        if taken and not self._taken:
            log.info("spans are taken again")
        elif self._taken and not taken:
            log.warning("spans are not taken, dropping them", reason=reason)
        self._taken = taken

    def shutdown(self) -> None:
        """Stop."""
        self._exporter.shutdown()


@dataclass(slots=True)
class _Serving:
    """A request in hand: its span so far, and what it takes to begin that anew in another trace."""

    name: str
    attributes: Mapping[str, str]
    began_nanoseconds: int
    span: Span


_serving: ContextVar[_Serving | None] = ContextVar("serving", default=None)


class ExportedTracing(Tracing):
    """Carries each trace on by spans."""

    def __init__(self, service: str, instance: str, processor: SpanProcessor) -> None:
        """Prepare it.

        Args:
            service: The service's name.
            instance: Tells this instance from the others.
            processor: Takes the spans as they end.

        """
        names = {"service.namespace": "countersign", "service.name": service, "service.instance.id": instance}
        # What operators set by the standard variables goes before our own names.
        resource = Resource.create(names).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, id_generator=_EventIds(), shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("countersign")

    @classmethod
    def by_otlp(cls, service: str, instance: str) -> Self:
        """Return one that exports by OTLP over HTTP, in batches from a bounded queue, in a thread of its own."""
        # The exporter would log each failed try; ours says once what matters.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        return cls(service, instance, BatchSpanProcessor(ReportingExporter(OTLPSpanExporter())))

    @contextmanager
    def serving(self, request: web.Request, served: Served) -> Iterator[None]:
        """Make a span of a request; none of one that lasts as long as somebody waits."""
        method, route = method_of(request), route_of(request)
        name = f"{method} {route}"
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "url.path": request.path,
            "url.scheme": request.scheme,
        }
        began = time.time_ns()
        given = request.headers.get("traceparent", "")
        serving = _Serving(name, attributes, began, self._begin(given, name, SpanKind.SERVER, attributes, began))
        _serving.set(serving)
        continue_trace(_traceparent_of(serving.span))
        try:
            yield
        finally:
            _serving.set(None)
            if not served.streamed:
                _end_request(serving.span, served.status)

    def join(self, traceparent: str) -> None:
        """Move the request in hand to another trace: its span begins anew there, and the one before is never ended."""
        serving = _serving.get()
        if serving is None:
            continue_trace(traceparent)
            return
        began = serving.began_nanoseconds
        serving.span = self._begin(traceparent, serving.name, SpanKind.SERVER, serving.attributes, began)
        continue_trace(_traceparent_of(serving.span))

    @contextmanager
    def deciding(self, came: Came) -> Iterator[None]:
        """Make a span of deciding an event or passing it on."""
        attributes = {
            **_messaging("process", came.topic, came.event.id),
            "messaging.consumer.group.name": came.group,
            "messaging.destination.partition.id": str(came.partition),
            "messaging.kafka.offset": came.offset,
            "countersign.event.type": came.event.data.type,
        }
        parent, seed = came.event.traceparent, came.event.id
        with _chosen(None if is_traceparent(parent) else _digits(seed, 16), None):
            span = self._begin(parent, f"process {came.topic}", SpanKind.CONSUMER, attributes)
        continue_trace(_traceparent_of(span))
        with _ended(span):
            yield

    @contextmanager
    def publishing(self, event_id: str, topic: str, traceparent: str) -> Iterator[str]:
        """Make a span of sending an event, beneath what is current; its ids follow from the event's where they can."""
        parent = current_traceparent() or traceparent
        with _chosen(None if is_traceparent(parent) else _digits(event_id, 16), _digits(event_id, 8)):
            span = self._begin(parent, f"send {topic}", SpanKind.PRODUCER, _messaging("send", topic, event_id))
        with _ended(span):
            yield _traceparent_of(span)

    def close(self) -> None:
        """Send what is left, for a moment at most."""
        # The processor would wait for 30 s; a thread that is a daemon holds no process up.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _begin(
        self,
        parent: str,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, str | int],
        began_nanoseconds: int | None = None,
    ) -> Span:
        context = _context(parent) if is_traceparent(parent) else Context()
        return self._tracer.start_span(name, context, kind, attributes, start_time=began_nanoseconds)


def _messaging(operation: str, topic: str, event_id: str) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": event_id,
    }


@contextmanager
def _chosen(trace: int | None, span: int | None) -> Iterator[None]:
    """Choose the ids of the span that begins in this context."""
    token = _ids.set((trace, span))
    try:
        yield
    finally:
        _ids.reset(token)


@contextmanager
def _ended(span: Span) -> Iterator[None]:
    """End a span with what happens in this context; of an error, its kind and nothing of what it says."""
    try:
        yield
    except BaseException as error:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", type(error).__qualname__)
        raise
    finally:
        span.end()


def _end_request(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= web.HTTPInternalServerError.status_code:
        span.set_status(StatusCode.ERROR)
        span.set_attribute("error.type", str(status))
    span.end()


def _digits(event_id: str, length: int) -> int:
    """Return a number of some bytes that follows from an event's id."""
    return int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:length])


def _context(traceparent: str) -> Context:
    _, trace, span, flags = traceparent.split("-")
    given = SpanContext(int(trace, 16), int(span, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return set_span_in_context(NonRecordingSpan(given), Context())


def _traceparent_of(span: Span) -> str:
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
