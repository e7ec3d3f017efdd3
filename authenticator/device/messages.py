"""Services' HTTP responses to a device, parsed: discovery, phrases, receipts, problem documents."""

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
    """The services' addresses, the product's name and the service's time (docs/protocol.md section 2)."""

    product_name: Text
    pairing_url: HttpUrl
    socket_url: SocketUrl
    server_time: Moment


class IssuedPhrase(Model):
    """A pairing phrase of two words."""

    phrase: Text = Field(repr=False)
    expires_at: Moment


RECEIVED: Final = "received"


class Receipt(Model):
    """The push service's response to an answer.

    Attributes:
        answered_at: When the answer arrived.
        outcome: How the request ended; ``received`` while that is not decided, empty from an older service.

    """

    answered_at: Moment
    outcome: Text = ""

    @property
    def decided(self) -> bool:
        """Whether it is known that the answer counts."""
        return self.outcome != RECEIVED


def parse_problem(status: int, headers: Mapping[str, str], body: bytes) -> Problem | None:
    """Return the problem of a response with a status from 400, or None.

    A proxy's response without a problem document is a problem too, if its status is 429, 502, 503 or 504.
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
    """Return the problem of a parsed document; see `parse_problem`."""
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
