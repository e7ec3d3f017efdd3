"""What the services answer a device over HTTP: discovery, phrases, receipts, problem documents. Parsing only."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from authenticator.device.errors import Problem
from protocol.signed_requests import Refusal
from schemas.base import Model, Moment, Text

PROBLEM_PREFIX: Final = "urn:countersign:problem:"
UNAVAILABLE: Final = "unavailable"
_NAMES_BY_STATUS: Final = {429: Refusal.TOO_MANY.value, 502: UNAVAILABLE, 503: UNAVAILABLE, 504: UNAVAILABLE}
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^/?#\s]+(/[^?#\s]*)?$", max_length=200)]
SocketUrl = Annotated[str, Field(pattern=r"^wss?://[^/?#\s]+(/[^#\s]*)?$", max_length=200)]


class Discovery(Model):
    """Where the services are: docs/protocol.md section 2.

    Attributes:
        product_name: What the authenticator is called.
        pairing_url: The pairing service.
        socket_url: Where the socket is opened.
        server_time: The push service's clock.

    """

    product_name: Text
    pairing_url: HttpUrl
    socket_url: SocketUrl
    server_time: Moment


class IssuedPhrase(Model):
    """A pairing phrase, to be typed at the computer.

    Attributes:
        phrase: Two words.
        expires_at: When it ends.

    """

    phrase: Text = Field(repr=False)
    expires_at: Moment


class Receipt(Model):
    """What the push service says of an answer that it took.

    Attributes:
        answered_at: When it took it.

    """

    answered_at: Moment


def parse_problem(status: int, headers: Mapping[str, str], body: bytes) -> Problem | None:
    """Read a refusal.

    Args:
        status: The HTTP status, 400 or above.
        headers: The answer's headers, by names in any case.
        body: The answer's body.

    Returns:
        The problem, also where a proxy answered with a status that says enough; otherwise None.

    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    retry_after = headers.get("Retry-After", "")
    return read_problem(
        document if isinstance(document, dict) else {}, status, float(retry_after) if _is_number(retry_after) else None
    )


def read_problem(document: Mapping[str, Any], status: int, retry_after_seconds: float | None = None) -> Problem | None:
    """Take a problem from a document that is parsed already; see ``parse_problem``."""
    kind = document.get("type")
    if isinstance(kind, str) and kind.startswith(PROBLEM_PREFIX):
        name = kind.removeprefix(PROBLEM_PREFIX)
    elif status in _NAMES_BY_STATUS:
        name = _NAMES_BY_STATUS[status]
    else:
        return None
    title, detail = str(document.get("title", "")), str(document.get("detail", ""))
    return Problem(name, title, status, detail, retry_after_seconds, document)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < len("1000000")
