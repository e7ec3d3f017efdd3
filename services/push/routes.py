"""The push service's routes: method, address, handler. What needs the routes reads them here."""

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
"""The requests and answers in OpenAPI 3.1, kept by hand; a test compares it with these routes."""


def routes(to: PushWeb, sockets: Sockets, verifier: SignedRequestVerifier) -> Sequence[AbstractRouteDef]:
    """Return the routes of one instance."""
    return (
        web.get("/.well-known/countersign", to.discovery),
        web.get("/nonce", verifier.serve_nonce),
        web.post("/challenges/{challenge_id}/answer", to.answer),
        web.options("/challenges/{challenge_id}/answer", allow_any_origin),
        web.get("/socket", sockets.serve),
        web.get("/openapi.yaml", serve_file(DOCUMENT, "application/yaml")),
        web.get("/", to.index),
        web.static("/", WEB_APP, append_version=False),
    )
