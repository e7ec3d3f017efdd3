"""Signed requests of devices: body, signature and nonce are verified, and refusals become problem documents.

Any instance of a service recognises a nonce that another instance issued; the key's owner decides whether it was used
before (replay). Source: the Replay-Nonce of RFC 8555 section 6.5. A nonce is base64url of 8 bytes of time
(milliseconds), 8 random bytes and the first 16 bytes of an HMAC-SHA256 over both.
"""

import hmac
import secrets
from datetime import datetime
from typing import Final

from aiohttp import web

from protocol.challenges import CHALLENGE_HEADER
from protocol.encoding import decode_base64url, encode_base64url
from protocol.names import read_name
from protocol.signed_requests import (
    TOLERANCE_SECONDS,
    Refusal,
    RequestRefusedError,
    SignedRequest,
    verify_request,
)
from schemas.base import NAME_CHARACTERS
from services.common.clock import now
from services.common.web.web import problem

NONCE_HEADER: Final = "Replay-Nonce"
STATUS: Final[dict[Refusal, int]] = {
    Refusal.MALFORMED: 400,
    Refusal.BAD_SIGNATURE: 401,
    Refusal.WRONG_URL: 401,
    Refusal.STALE: 401,
    Refusal.BAD_NONCE: 401,
    Refusal.REPLAYED: 409,
    Refusal.UNKNOWN_DEVICE: 404,
    Refusal.UNKNOWN_CHALLENGE: 404,
    Refusal.ALREADY_ANSWERED: 409,
    Refusal.EXPIRED: 410,
    Refusal.WRONG_CHALLENGE: 409,
    Refusal.TOO_MANY: 429,
}
CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": f"{NONCE_HEADER}, Retry-After"}
"""Devices send no cookies, and their signature authorises each request, so any origin is allowed."""
RETRY_AFTER_SECONDS: Final = 30
_TIME_BYTES: Final = 8
_BODY_BYTES: Final = 16
_TAG_BYTES: Final = 16


class Nonces:
    """Issues and recognises the nonces of one service."""

    def __init__(self, key: bytes) -> None:
        """Take the HMAC key that all instances of the service share."""
        self._key = key

    def issue(self, now: datetime) -> str:
        """Return a new nonce."""
        body = int(now.timestamp() * 1000).to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_BODY_BYTES - _TIME_BYTES)
        return encode_base64url(body + self._tag(body))

    def recognises(self, nonce: str, now: datetime) -> bool:
        """Return whether this service issued a nonce within the last 300 s."""
        try:
            raw = decode_base64url(nonce)
        except ValueError:
            return False
        body, tag = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            return False
        age_seconds = now.timestamp() - int.from_bytes(body[:_TIME_BYTES], "big") / 1000
        return -TOLERANCE_SECONDS <= age_seconds <= TOLERANCE_SECONDS

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_TAG_BYTES]


class SignedRequestVerifier:
    """Verifies the signed requests of devices to one service."""

    def __init__(self, nonces: Nonces, origin: str) -> None:
        """Prepare the verifier.

        Args:
            nonces: This service's nonces.
            origin: Scheme, host and port of this service as devices use them.

        """
        self._nonces = nonces
        self._origins = frozenset({origin, origin.replace("http", "ws", 1)})

    def nonce(self) -> str:
        """Return a new nonce."""
        return self._nonces.issue(now())

    async def read(self, request: web.Request, typ: str) -> SignedRequest:
        """Return the verified request in the body of a POST.

        Raises:
            RequestRefusedError: With the refusal.

        """
        try:
            compact = (await request.read()).decode("ascii")
        except UnicodeDecodeError as error:
            raise RequestRefusedError(Refusal.MALFORMED, "The body is not a compact JWS.") from error
        return self.check(compact, request.path, typ)

    def check(self, compact: str, path: str, typ: str, nonce: str | None = None) -> SignedRequest:
        """Verify a signed request.

        Args:
            compact: The request's compact JWS.
            path: The path that received it.
            typ: The expected type.
            nonce: The only accepted nonce; default any of this service's.

        Raises:
            RequestRefusedError: With the refusal.

        """
        moment = now()
        signed = verify_request(compact, path=path, origins=self._origins, now=moment, typ=typ)
        if not self._nonces.recognises(signed.nonce, moment) or nonce not in {None, signed.nonce}:
            raise RequestRefusedError(
                Refusal.BAD_NONCE, "The nonce is not from this service or is too old. Use a new one."
            )
        return signed

    def refuse(self, refusal: Refusal, detail: str) -> web.Response:
        """Return the problem document of a refusal, with the next nonce."""
        response = problem(STATUS[refusal], refusal.value, detail, self.headers())
        if refusal is Refusal.TOO_MANY:
            response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response

    def headers(self) -> dict[str, str]:
        """Return the headers of each response to a device."""
        return {**CORS, NONCE_HEADER: self.nonce(), "Cache-Control": "no-store"}

    async def serve_nonce(self, _request: web.Request) -> web.Response:
        """Handle GET /nonce."""
        return web.Response(status=204, headers=self.headers())


async def allow_any_origin(_request: web.Request) -> web.Response:
    """Handle a CORS preflight (Fetch standard, CORS-preflight request)."""
    return web.Response(
        status=204,
        headers={
            **CORS,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": f"Content-Type, {CHALLENGE_HEADER}",
            "Access-Control-Max-Age": "600",
        },
    )


def device_name_in(signed: SignedRequest) -> str:
    """Return the device's name in a request.

    Raises:
        RequestRefusedError: If it is missing, too long or not printable.

    """
    given = signed.payload.get("device_name")
    name = read_name(given) if isinstance(given, str) else None
    if name is None:
        detail = f"device_name must have 1 to {NAME_CHARACTERS} printable characters."
        raise RequestRefusedError(Refusal.MALFORMED, detail)
    return name
