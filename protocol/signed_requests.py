"""Requests signed by a device, bound to a URL, a time and a single-use nonce (RFC 8555 section 6)."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from protocol.jose import PrivateKey, PublicKey, SignatureError, verify_embedded
from protocol.strict_json import read_json

REQUEST_TYPE: Final = "countersign-request+jws"
HEADER_MEMBERS: Final = frozenset({"alg", "typ", "jwk", "url", "nonce", "iat"})
TOLERANCE_SECONDS: Final = 300


class Refusal(StrEnum):
    """Why a device's request is refused: the last part of the problem's type."""

    MALFORMED = "malformed"
    BAD_SIGNATURE = "bad-signature"
    WRONG_URL = "wrong-url"
    STALE = "stale"
    BAD_NONCE = "bad-nonce"
    REPLAYED = "replayed-nonce"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_CHALLENGE = "unknown-challenge"
    ALREADY_ANSWERED = "already-answered"
    EXPIRED = "expired"
    WRONG_CHALLENGE = "wrong-challenge"
    TOO_MANY = "too-many-requests"


class RequestRefusedError(ValueError):
    """A device's request is refused. The text is a sentence for the device's developer.

    Attributes:
        refusal: The reason.

    """

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request with valid signature, URL and time. The device's owner checks the nonce against replay.

    Attributes:
        device: The key that signed it; its thumbprint is the device's id.
        nonce: The single-use nonce.
        issued_at: When the device signed it, by the device's clock.
        payload: The JSON object in it.
        compact: The compact JWS.

    """

    device: PublicKey
    nonce: str
    issued_at: datetime
    payload: dict[str, Any]
    compact: str


def sign_request(  # noqa: PLR0913 - the members of one header
    key: PrivateKey, *, url: str, nonce: str, at: datetime, payload: Mapping[str, object], typ: str = REQUEST_TYPE
) -> str:
    """Sign a request as a device does.

    Args:
        key: The device's key.
        url: The exact URL of the request.
        nonce: A nonce from that service.
        at: The current time of the service.
        payload: A JSON object.
        typ: The request's type.

    Returns:
        The compact JWS.

    """
    header = {"typ": typ, "jwk": key.public.jwk, "url": url, "nonce": nonce, "iat": int(at.timestamp())}
    return key.sign(header, json.dumps(payload, separators=(",", ":")).encode())


def verify_request(
    compact: str, *, path: str, origins: Container[str], now: datetime, typ: str = REQUEST_TYPE
) -> SignedRequest:
    """Verify a device's request.

    Args:
        compact: The compact JWS.
        path: The path that received it.
        origins: The origins (scheme, host, port) of this service.
        now: The current time.
        typ: The expected type.

    Raises:
        RequestRefusedError: With the refusal.

    """
    try:
        header, device, body = verify_embedded(compact, typ)
    except SignatureError as error:
        raise RequestRefusedError(Refusal.BAD_SIGNATURE, str(error)) from error
    url, nonce, issued = header.get("url"), header.get("nonce"), header.get("iat")
    if header.keys() != HEADER_MEMBERS:
        raise RequestRefusedError(
            Refusal.MALFORMED, f"The header must have exactly {', '.join(sorted(HEADER_MEMBERS))}."
        )
    if not isinstance(url, str) or not isinstance(nonce, str) or type(issued) is not int:
        raise RequestRefusedError(
            Refusal.MALFORMED, "The header needs url (text), nonce (text) and iat (whole seconds)."
        )
    _check_url(url, path, origins)
    if abs(int(now.timestamp()) - issued) > TOLERANCE_SECONDS:
        detail = f"iat is more than {TOLERANCE_SECONDS} s away from this service's time, {int(now.timestamp())}."
        raise RequestRefusedError(Refusal.STALE, detail)
    try:
        payload = read_json(body)
    except ValueError as error:
        raise RequestRefusedError(Refusal.MALFORMED, "The payload is not JSON.") from error
    if not isinstance(payload, dict):
        raise RequestRefusedError(Refusal.MALFORMED, "The payload is not a JSON object.")
    return SignedRequest(device, nonce, datetime.fromtimestamp(issued, UTC), payload, compact)


def _check_url(url: str, path: str, origins: Container[str]) -> None:
    if not url.endswith(path) or url.removesuffix(path) not in origins:
        raise RequestRefusedError(Refusal.WRONG_URL, "The request was signed for another URL.")
