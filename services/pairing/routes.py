"""The pairing service's routes: method, path, handler."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.web_routedef import AbstractRouteDef

from services.common.keys.keys import SigningKeys
from services.common.web.device_requests import SignedRequestVerifier, allow_any_origin
from services.common.web.web import serve_file, serve_key_set
from services.pairing.web import PairingWeb

DOCUMENT: Final = Path(__file__).with_name("openapi.yaml")
"""The OpenAPI 3.1 document, kept by hand; a test compares it with these routes."""


def routes(
    handlers: PairingWeb, verifier: SignedRequestVerifier, signing_keys: SigningKeys
) -> Sequence[AbstractRouteDef]:
    """Return the routes of one instance."""
    return (
        web.post("/phrases", handlers.new_phrase),
        web.options("/phrases", allow_any_origin),
        web.get("/nonce", verifier.serve_nonce),
        web.get("/.well-known/jwks.json", serve_key_set(signing_keys)),
        web.get("/openapi.yaml", serve_file(DOCUMENT, "application/yaml")),
    )
