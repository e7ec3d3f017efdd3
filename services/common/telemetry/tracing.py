"""W3C Trace Context by OpenTelemetry's API: the trace that follows a login through services, topics and logs.

The API's context holds the current trace. Without the SDK (`services.common.telemetry.span_export`) the API creates
neither spans nor ids, so `continue_trace` and `begin_span` begin a trace where the input has none. A command carries
the traceparent of the span that sends it. The messages of a decision carry the traceparent of their cause, so that a
repeated decision publishes equal bytes (idempotency, docs/adr/0003).

Span attributes are our own names, counts and ids of events. They contain no key, body, header or error text.

Source: OpenTelemetry semantic conventions 1.40, messaging spans (Kafka).
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NonRecordingSpan,
    NoOpTracer,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

NO_SPANS: Final[Tracer] = NoOpTracer()
_TRACEPARENT: Final = "traceparent"
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def continue_trace(headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Make a record's trace the current one, or a new one if its headers have no well-formed traceparent."""
    traceparent = dict(headers).get(_TRACEPARENT) or b""
    context = read_traceparent(traceparent.decode(errors="replace"))
    attach(set_span_in_context(_in_a_trace(get_current_span(context))))


def join_trace(traceparent: str) -> None:
    """Link the current span to another trace, and make that trace the current one.

    Args:
        traceparent: The traceparent of a login that a request answers. Nothing happens if it is missing or malformed.

    """
    context = read_traceparent(traceparent)
    other = get_current_span(context).get_span_context()
    if other.is_valid:
        get_current_span().add_link(other)
        attach(context)


def read_traceparent(traceparent: str) -> Context:
    """Return the context of a traceparent; an empty one if it is missing or malformed."""
    return _PROPAGATOR.extract({_TRACEPARENT: traceparent}, Context())


def current_traceparent() -> str:
    """Return the current trace's traceparent, or an empty string."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(_TRACEPARENT, "")


def current_trace_id() -> str:
    """Return the current trace's id, 32 hexadecimal digits, or an empty string."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


def begin_span(
    tracer: Tracer, name: str, kind: SpanKind, attributes: Mapping[str, str | int], parent: Context | None = None
) -> Span:
    """Start a span, in a new trace if it has no parent; the caller makes it the current one.

    Args:
        tracer: Creates the span.
        name: The span's name.
        kind: The span's kind.
        attributes: The span's attributes.
        parent: The context that contains the parent; default the current context.

    """
    return _in_a_trace(tracer.start_span(name, parent, kind, attributes))


@contextmanager
def messaging_span(
    tracer: Tracer,
    kind: SpanKind,
    topic: str,
    event_id: str,
    attributes: Mapping[str, str | int] | None = None,
) -> Iterator[None]:
    """Run a block in a span of sending or processing an event; an exception sets the span's error type.

    Args:
        tracer: Creates the span.
        kind: PRODUCER to send, CONSUMER to process.
        topic: The topic's name, without the deployment's prefix.
        event_id: The event's id.
        attributes: Further attributes.

    """
    operation = "send" if kind is SpanKind.PRODUCER else "process"
    known = {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": event_id,
        **(attributes or {}),
    }
    span = begin_span(tracer, f"{operation} {topic}", kind, known)
    token = attach(set_span_in_context(span))
    try:
        yield
    except BaseException as error:
        set_error(span, type(error).__qualname__)
        raise
    finally:
        detach(token)
        span.end()


def set_error(span: Span, error_type: str) -> None:
    """Mark a span as failed.

    Args:
        span: The span.
        error_type: An exception's class or an HTTP status; low cardinality.

    """
    span.set_status(StatusCode.ERROR)
    span.set_attribute("error.type", error_type)


def _in_a_trace(span: Span) -> Span:
    """Return the span, or the root of a new trace if its context is invalid."""
    if span.get_span_context().is_valid:
        return span
    trace_id, span_id = (int.from_bytes(secrets.token_bytes(length)) or 1 for length in (16, 8))
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return NonRecordingSpan(SpanContext(trace_id, span_id, is_remote=False, trace_flags=sampled))
