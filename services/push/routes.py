"""The push service's routes: method, path, handler."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from services.common.web.device_requests import SignedRequestVerifier, allow_any_origin
from services.common.web.web import serve_file
from services.push.sockets import Sockets
from services.push.web import WEB_APP, PushWeb

DOCUMENT: Final = Path(__file__).with_name("openapi.yaml")
"""The OpenAPI 3.1 document, kept by hand; a test compares it with these routes."""


def routes(handlers: PushWeb, sockets: Sockets, verifier: SignedRequestVerifier) -> Sequence[AbstractRouteDef]:
    """Return the routes of one instance."""
    return (
        web.get("/.well-known/countersign", handlers.discovery),
        web.get("/nonce", verifier.serve_nonce),
        web.post("/challenges/{challenge_id}/answer", handlers.answer),
        web.options("/challenges/{challenge_id}/answer", allow_any_origin),
        web.get("/socket", sockets.serve),
        web.get("/openapi.yaml", serve_file(DOCUMENT, "application/yaml")),
        web.get("/", handlers.index),
        web.static("/", WEB_APP, append_version=False),
    )
