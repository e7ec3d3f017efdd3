"""How the services that devices talk to take signed requests: body, signature, nonce; and what they refuse."""

from typing import Final

from aiohttp import web

from protocol.signed_requests import Refusal, RequestRefusedError, SignedRequest, verify_request
from schemas.base import NAME_CHARACTERS
from services.common.clock import now
from services.common.web.nonces import Nonces
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
"""Devices send no cookies; what they may do hangs on their signature, so any origin may ask."""
RETRY_AFTER_SECONDS: Final = 30


class SignedRequestVerifier:
    """Takes the signed requests of devices for one service."""

    def __init__(self, nonces: Nonces, origin: str) -> None:
        """Prepare it.

        Args:
            nonces: This service's nonces.
            origin: The scheme, host and port that devices reach this service by.

        """
        self._nonces = nonces
        self._origins = frozenset({origin, origin.replace("http", "ws", 1)})

    def nonce(self) -> str:
        """Return a new nonce."""
        return self._nonces.issue(now())

    async def read(self, request: web.Request, typ: str) -> SignedRequest:
        """Return the signed request that a POST carries.

        Raises:
            RefusedError: With the reason.

        """
        try:
            compact = (await request.read()).decode("ascii")
        except UnicodeDecodeError as error:
            raise RequestRefusedError(Refusal.MALFORMED, "The body is not a compact JWS.") from error
        return self.check(compact, request.path, typ)

    def check(self, compact: str, path: str, typ: str, nonce: str | None = None) -> SignedRequest:
        """Check a signed request that came to a path.

        Args:
            compact: The request's JWS.
            path: The path.
            typ: What it must be.
            nonce: The only nonce to accept, if not any of this service's.

        Raises:
            RefusedError: With the reason.

        """
        moment = now()
        signed = verify_request(compact, path=path, origins=self._origins, now=moment, typ=typ)
        if not self._nonces.recognises(signed.nonce, moment) or nonce not in {None, signed.nonce}:
            raise RequestRefusedError(
                Refusal.BAD_NONCE, "The nonce is not one of this service's, or too old. Use a new one."
            )
        return signed

    def refuse(self, refusal: Refusal, detail: str) -> web.Response:
        """Return the problem document of a refusal, with the next nonce."""
        answer = problem(STATUS[refusal], refusal.value, detail, self.headers())
        if refusal is Refusal.TOO_MANY:
            answer.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer

    def headers(self) -> dict[str, str]:
        """Return the headers of each answer to a device."""
        return {**CORS, NONCE_HEADER: self.nonce(), "Cache-Control": "no-store"}

    async def serve_nonce(self, _request: web.Request) -> web.Response:
        """Answer GET /nonce."""
        return web.Response(status=204, headers=self.headers())


async def allow_any_origin(_request: web.Request) -> web.Response:
    """Answer a CORS preflight (Fetch standard, CORS-preflight request)."""
    return web.Response(
        status=204,
        headers={
            **CORS,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Max-Age": "600",
        },
    )


def device_name_in(signed: SignedRequest) -> str:
    """Return the device's name that a request carries.

    Raises:
        RefusedError: If there is none, or it is too long.

    """
    name = signed.payload.get("device_name")
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= NAME_CHARACTERS:
        raise RequestRefusedError(Refusal.MALFORMED, f"device_name must have 1 to {NAME_CHARACTERS} characters.")
    return name.strip()
