"""The push service's HTTP, as its OpenAPI document says it."""

from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from protocol.challenges import ANSWER_TYPE, Answer
from protocol.signed_requests import Refusal
from schemas.base import Identifier
from schemas.contract import Verdict
from services.common.web.device_openapi import (
    NONCE,
    NONCE_PATH,
    NOT_FOUND,
    PREFLIGHT,
    problem_answer,
    refusals,
    signed_request,
)
from services.common.web.openapi import Json, Shape, answer, file_paths, json_answer, make_document, parameter


class Discovery(Shape):
    """Where a device finds the services, and their time."""

    product_name: str
    pairing_url: str
    socket_url: str
    server_time: datetime


class Answered(Shape):
    """That an answer counts, and since when."""

    verdict: Verdict
    answered_at: datetime


def describe(url: str, web_app: Path) -> Json:
    """Return the document.

    Args:
        url: Where the service is reached.
        web_app: The folder of the authenticator's files.

    """
    paths = {
        "/.well-known/countersign": _DISCOVERY,
        "/nonce": NONCE_PATH,
        "/challenges/{challenge_id}/answer": _ANSWER,
        "/socket": _SOCKET,
        "/": _INDEX,
        **file_paths("/", web_app, NOT_FOUND),
    }
    description = (
        "Carries challenges to devices and their answers back, and serves the authenticator for browsers. "
        "Refusals are problem documents (RFC 9457)."
    )
    return make_document("Countersign push", description, url, paths, [Discovery, Answer, Answered])


_IDENTIFIER: Final[Json] = TypeAdapter(Identifier).json_schema()
_DISCOVERY = {
    "get": {
        "summary": "Where a device finds everything",
        "description": "docs/protocol.md, section 2.",
        "responses": {"200": json_answer("The addresses, and the service's time.", Discovery)},
    }
}
_ANSWER = {
    "parameters": [parameter("challenge_id", "path", "The challenge that is answered.", **_IDENTIFIER)],
    "options": {**PREFLIGHT, "responses": {**PREFLIGHT["responses"], "404": NOT_FOUND}},
    "post": {
        "summary": "A device's answer to a challenge",
        "description": "docs/protocol.md, section 7. A refusal as already-answered has the verdict that counts.",
        "requestBody": signed_request(Answer, ANSWER_TYPE),
        "responses": {
            "200": json_answer("It counts, and is in Kafka.", Answered, NONCE),
            **refusals(
                Refusal.REPLAYED,
                Refusal.ALREADY_ANSWERED,
                Refusal.WRONG_CHALLENGE,
                Refusal.EXPIRED,
                Refusal.TOO_MANY,
            ),
            "404": problem_answer(
                "The challenge does not wait for this device, or the address is none.",
                [Refusal.UNKNOWN_DEVICE, Refusal.UNKNOWN_CHALLENGE, "not-found"],
            ),
        },
    },
}
_SOCKET = {
    "get": {
        "summary": "A device's WebSocket (RFC 6455)",
        "description": "Its frames are in docs/protocol.md, section 5. All are text, one JSON object each.",
        "responses": {
            "101": answer("The connection is a WebSocket from here on."),
            "400": problem_answer("The request asks for no WebSocket.", ["bad-request"]),
        },
    }
}
_INDEX = {
    "get": {
        "summary": "The authenticator for browsers",
        "responses": {
            "200": answer("Its page.", {"text/html": {}}),
            "206": answer("The part of it that Range asks for.", {"text/html": {}}),
            "304": answer("It has not changed since the browser got it."),
            "416": answer("It has no such part."),
        },
    }
}
