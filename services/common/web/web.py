"""The web application that all services share: security headers, error responses, health."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Protocol

import structlog
from aiohttp import ClientConnectionResetError, web
from aiohttp.typedefs import Middleware

from services.common.clock import now
from services.common.instance.health import Health
from services.common.kafka.publisher import UnavailableError
from services.common.keys.keys import SigningKeys
from services.common.telemetry.telemetry import Telemetry
from services.common.web.proxies import PROXIES
from services.common.web.watching import LIVE, READY, Handler, watch_requests

log = structlog.get_logger(__name__)
BODY_BYTES: Final = 16 * 1024
BODY_SECONDS: Final = 10.0
"""How long the body of a request may take."""
PATH_CHARACTERS: Final = 255
"""Longer than any path of ours, and the usual limit of a file name."""
RETRY_AFTER_SECONDS: Final = 2
CLIENT_LEFT: Final = 499
"""Logged status of a request whose client has disconnected before the response; the number is nginx's."""
FORWARDING: Final = ("Forwarded", "Via", "X-Forwarded-For")
"""Headers of a request that a proxy passes on."""
HEALTH: Final = web.AppKey("health", Health)
SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class ErrorRenderer(Protocol):
    """Renders the response to a failed request."""

    def __call__(self, request: web.Request, status: int, name: str, detail: str, /) -> web.Response:
        """Return the response.

        Args:
            request: The request.
            status: The HTTP status.
            name: The problem's name, as in docs/protocol.md.
            detail: A sentence on what to do next.

        """
        ...


def problem_document(status: int, name: str, detail: str) -> dict[str, object]:
    """Return the members of a problem document (RFC 9457, section 3.1)."""
    title = name.replace("-", " ").capitalize()
    return {"type": f"urn:countersign:problem:{name}", "title": title, "status": status, "detail": detail}


def problem(
    status: int,
    name: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, object] | None = None,
) -> web.Response:
    """Return a problem response, with extension members if given (RFC 9457, section 3.2)."""
    document = {**problem_document(status, name, detail), **(extra or {})}
    return web.json_response(document, status=status, headers=headers, content_type="application/problem+json")


def render_problem(_request: web.Request, status: int, name: str, detail: str, /) -> web.Response:
    """Render an error for a device."""
    return problem(status, name, detail)


def make_web(
    health: Health,
    telemetry: Telemetry,
    render_error: ErrorRenderer,
    content_security_policy: str,
    extra_headers: Mapping[str, str] | None = None,
) -> web.Application:
    """Return a web application without the service's own routes.

    Args:
        health: The instance's readiness, for /ready.
        telemetry: The instance's metrics and traces.
        render_error: Renders error responses.
        content_security_policy: The policy of its pages (CSP level 3).
        extra_headers: Further headers of every response, errors included.

    """
    headers = {
        **SECURITY_HEADERS,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": content_security_policy,
        **(extra_headers or {}),
    }
    application = web.Application(
        middlewares=[watch_requests(telemetry), _answer_errors(render_error), _bound_path, _read_body],
        client_max_size=BODY_BYTES,
    )

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)

    application.on_response_prepare.append(add_headers)
    application[HEALTH] = health
    application.router.add_get(LIVE, _live)
    application.router.add_get(READY, _ready)
    return application


def serve_key_set(keys: SigningKeys) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler that publishes a service's keys as a JWK set (RFC 7517 section 5)."""

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response(
            keys.public_set(),
            content_type="application/jwk-set+json",
            headers={"Access-Control-Allow-Origin": "*", "Cache-Control": "max-age=60"},
        )

    return handler


def serve_file(path: Path, content_type: str) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
    """Return the handler that serves one static file."""

    async def handler(_request: web.Request) -> web.FileResponse:
        return web.FileResponse(path, headers={"Content-Type": content_type})

    return handler


def _answer_errors(render: ErrorRenderer) -> Middleware:
    @web.middleware
    async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnavailableError:
            return _unavailable(render, request)
        except ClientConnectionResetError:
            return web.Response(status=CLIENT_LEFT)
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            response = render(request, error.status, error.reason.lower().replace(" ", "-"), error.text or "")
            response.headers.update(
                {key: value for key, value in error.headers.items() if key in {"Allow", "Retry-After"}}
            )
            return response
        except Exception:
            log.exception("request failed", method=request.method, path=request.path)
            return render(request, 500, "internal-error", "Something went wrong here. Please try again.")

    return answer_errors


@web.middleware
async def _bound_path(request: web.Request, handler: Handler) -> web.StreamResponse:
    if len(request.rel_url.raw_path) > PATH_CHARACTERS:
        raise web.HTTPNotFound
    return await handler(request)


@web.middleware
async def _read_body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read a request's body, all of which must arrive in time; aiohttp keeps it for the handler."""
    if request.can_read_body:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await request.read()
        except TimeoutError as error:
            raise web.HTTPRequestTimeout(text="The request took too long to arrive.") from error
    return await handler(request)


def _unavailable(render: ErrorRenderer, request: web.Request) -> web.Response:
    detail = "This service is temporarily unavailable. Please try again soon."
    response = render(request, 503, "unavailable", detail)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


async def _live(_request: web.Request) -> web.Response:
    return web.json_response({"status": "live", "time": now().isoformat()})


async def _ready(request: web.Request) -> web.Response:
    reasons = request.app[HEALTH].reason_texts()
    proxies, inside = request.app.get(PROXIES), _is_from_this_machine(request)
    if not reasons:
        warnings = [proxies.mismatch] if inside and proxies is not None and proxies.mismatch else []
        return web.json_response({"status": "ready"} | ({"warnings": warnings} if warnings else {}))
    body = {"status": "not ready"} | ({"reasons": reasons} if inside else {})
    return web.json_response(body, status=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


def _is_from_this_machine(request: web.Request) -> bool:
    """Tell whether a program here asks for itself: reasons name topics and settings, which are not for strangers."""
    if any(name in request.headers for name in FORWARDING):
        return False
    try:
        return ip_address(request.remote or "").is_loopback
    except ValueError:
        return False
