"""Middleware that counts, times and traces the requests of one instance, and logs those that fail.

The line of a decision is the record of what happened; a line for each request stands in the log at the level DEBUG.

Source: OpenTelemetry semantic conventions 1.40, HTTP spans (server).
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware
from opentelemetry.trace import Span, SpanKind, Tracer, use_span

from services.common.telemetry.metrics import Metrics
from services.common.telemetry.telemetry import Telemetry
from services.common.telemetry.tracing import begin_span, read_traceparent, set_error

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIVE: Final = "/live"
READY: Final = "/ready"
EVENT_STREAM: Final = "text/event-stream"
UNMATCHED: Final = "unmatched"
OTHER: Final = "_OTHER"
"""As OpenTelemetry's conventions call a method that is none of HTTP's."""


def watch_requests(telemetry: Telemetry) -> Middleware:
    """Return the outermost middleware; it ignores health checks."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in {LIVE, READY}:
            return await handler(request)
        status, streamed = web.HTTPInternalServerError.status_code, False
        started = time.monotonic()
        span = _begin_span(telemetry.tracer, request)
        with use_span(span):
            try:
                response = await handler(request)
                status, streamed = response.status, _is_streamed(response)
                _log(request, status, time.monotonic() - started)
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                _count(telemetry.metrics, request, status, time.monotonic() - started)
                # The duration of a stream is the time that a browser or a device stays connected, so it gets no span.
                if not streamed:
                    _end_span(span, status)
        return response

    return watch


def route_of(request: web.Request) -> str:
    """Return the pattern of a request's route, such as ``/challenges/{challenge_id}/answer``."""
    resource = request.match_info.route.resource
    if resource is None:
        return UNMATCHED
    return f"{resource.canonical}/*" if isinstance(resource, web.StaticResource) else resource.canonical


def method_of(request: web.Request) -> str:
    """Return a request's method, or a placeholder for unknown ones, which bounds the metric's labels."""
    return request.method if request.method in hdrs.METH_ALL else OTHER


def _begin_span(tracer: Tracer, request: web.Request) -> Span:
    method, route = method_of(request), route_of(request)
    attributes = {
        "http.request.method": method,
        "http.route": route,
        "url.path": request.path,
        "url.scheme": request.scheme,
    }
    parent = read_traceparent(request.headers.get("traceparent", ""))
    return begin_span(tracer, f"{method} {route}", SpanKind.SERVER, attributes, parent)


def _end_span(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if status >= web.HTTPInternalServerError.status_code:
        set_error(span, str(status))
    span.end()


def _is_streamed(response: web.StreamResponse) -> bool:
    return isinstance(response, web.WebSocketResponse) or response.content_type == EVENT_STREAM


def _log(request: web.Request, status: int, seconds: float) -> None:
    write = log.warning if status >= web.HTTPInternalServerError.status_code else log.debug
    write("request", method=request.method, path=request.path, status=status, milliseconds=round(seconds * 1000, 1))


def _count(metrics: Metrics, request: web.Request, status: int, seconds: float) -> None:
    route = route_of(request)
    metrics.requests.labels(method_of(request), route, str(status)).inc()
    metrics.request_seconds.labels(route).observe(seconds)
