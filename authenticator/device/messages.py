"""What the services say to a device: discovery, problem documents, frames of the socket. Parsing only."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field, TypeAdapter, ValidationError

from authenticator.device.errors import Problem
from protocol.jose import PublicKey, SignatureError
from protocol.requests import Refusal
from schemas.base import Identifier, Jws, Model, Moment, Text

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


class Hello(Model):
    """The socket's first frame.

    Attributes:
        nonce: For the request that opens it.

    """

    type: Literal["hello"]
    nonce: Annotated[str, Field(max_length=512)]


class Ready(Model):
    """The socket is open.

    Attributes:
        server_time: The push service's clock.

    """

    type: Literal["ready"]
    server_time: Moment


class Refused(Model):
    """The socket will not open.

    Attributes:
        problem: The problem document that says why.

    """

    type: Literal["problem"]
    problem: dict[str, Any]


class Asked(Model):
    """A challenge.

    Attributes:
        challenge: Its JWS, unverified.

    """

    type: Literal["challenge"]
    challenge: Jws


class Ended(Model):
    """A challenge needs no answer any more.

    Attributes:
        challenge_id: Which.
        reason: Why: ``withdrawn``, ``answered`` or ``expired``.

    """

    type: Literal["ended"]
    challenge_id: Identifier
    reason: Text


Frame = Hello | Ready | Refused | Asked | Ended
_FRAME: Final[TypeAdapter[Frame]] = TypeAdapter(Annotated[Frame, Field(discriminator="type")])


def parse_frame(text: str) -> Frame | None:
    """Read a frame of the socket.

    Returns:
        The frame, or None for one of a type or form that this device does not know (a newer service).

    """
    try:
        return _FRAME.validate_json(text)
    except ValidationError:
        return None


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


def parse_key_set(body: bytes) -> frozenset[str]:
    """Read a JWK set (RFC 7517 section 5).

    Returns:
        The thumbprints of its P-256 keys, computed here; other keys are passed over.

    Raises:
        ValueError: If it is not a JWK set.

    """
    try:
        keys = json.loads(body)["keys"]
        return frozenset(filter(None, map(_thumbprint, keys)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        text = "not a JWK set"
        raise ValueError(text) from error


def _thumbprint(jwk: object) -> str | None:
    try:
        return PublicKey.from_jwk(jwk).thumbprint if isinstance(jwk, dict) else None
    except SignatureError:
        return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < len("1000000")
