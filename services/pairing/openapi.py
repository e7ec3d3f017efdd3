"""The pairing service's HTTP, as its OpenAPI document says it."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from protocol.signed_requests import REQUEST_TYPE, Refusal
from schemas.base import NAME_CHARACTERS
from services.common.web.device_openapi import NONCE, NONCE_PATH, PREFLIGHT, refusals, signed_request
from services.common.web.openapi import Json, Shape, json_answer, key_set_path, make_document


class PhraseRequest(Shape):
    """What a request for a phrase carries."""

    device_name: Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS)]


class IssuedPhrase(Shape):
    """A phrase, and until when it can be entered."""

    phrase: str
    expires_at: datetime


def describe(url: str) -> Json:
    """Return the document.

    Args:
        url: Where the service is reached.

    """
    paths = {
        "/.well-known/jwks.json": key_set_path("what signs pairing challenges"),
        "/nonce": NONCE_PATH,
        "/phrases": {
            "options": PREFLIGHT,
            "post": {
                "summary": "A new pairing phrase for a device",
                "description": "docs/protocol.md, section 4.",
                "requestBody": signed_request(PhraseRequest, REQUEST_TYPE),
                "responses": {
                    "201": json_answer("The phrase; the one before it, if any, has ended.", IssuedPhrase, NONCE),
                    **refusals(Refusal.REPLAYED, Refusal.TOO_MANY),
                },
            },
        },
    }
    description = "Hands pairing phrases to devices. Refusals are problem documents (RFC 9457)."
    return make_document("Countersign pairing", description, url, paths, [PhraseRequest, IssuedPhrase])
