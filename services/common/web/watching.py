"""Watches the requests of one instance: logged, counted, timed, each in its trace."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from services.common.telemetry.metrics import Metrics
from services.common.telemetry.route_names import method_of, route_of
from services.common.telemetry.telemetry import Telemetry
from services.common.telemetry.tracing import Served, continue_trace

log = structlog.get_logger(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIVE: Final = "/live"
READY: Final = "/ready"
EVENT_STREAM: Final = "text/event-stream"


def watch_requests(telemetry: Telemetry) -> Middleware:
    """Return the outermost middleware; what asks for health is no request of a person or a device."""

    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in {LIVE, READY}:
            continue_trace(None)
            return await handler(request)
        served = Served()
        started = time.monotonic()
        with telemetry.tracing.serving(request, served):
            try:
                response = await handler(request)
                served.status = response.status
                served.streamed = _is_streamed(response)
                _log(request, response.status, time.monotonic() - started)
            except web.HTTPException as answer:
                served.status = answer.status
                raise
            finally:
                _count(telemetry.metrics, request, served, time.monotonic() - started)
        return response

    return watch


def _is_streamed(response: web.StreamResponse) -> bool:
    return isinstance(response, web.WebSocketResponse) or response.content_type == EVENT_STREAM


def _log(request: web.Request, status: int, seconds: float) -> None:
    log.info("request", method=request.method, path=request.path, status=status, milliseconds=round(seconds * 1000, 1))


def _count(metrics: Metrics, request: web.Request, served: Served, seconds: float) -> None:
    route = route_of(request)
    metrics.requests.labels(method_of(request), route, str(served.status)).inc()
    metrics.request_seconds.labels(route).observe(seconds)
