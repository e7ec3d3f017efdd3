"""HTTP exchanges with services, bounded in time and size; nonces are kept, and refusals are errors."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import aiohttp
from pydantic import ValidationError

from authenticator.device.errors import ProblemError, UnexpectedResponseError, UnreachableError
from authenticator.device.messages import parse_problem
from authenticator.device.retries import Timing
from schemas.base import Model

MAX_BODY_BYTES: Final = 64 * 1024
NONCE_SECONDS: Final = 240.0
"""How long a nonce is kept; the service accepts it for 300 s."""
MAX_NONCES: Final = 16
ERROR_STATUS: Final = 400
ModelT = TypeVar("ModelT", bound=Model)


@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """A service's response.

    Attributes:
        url: The requested URL.
        status: The HTTP status.
        headers: The headers; names are case-insensitive.
        body: At most 64 KiB.

    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def parse(self, model: type[ModelT]) -> ModelT:
        """Parse the body.

        Raises:
            UnexpectedResponseError: If it does not fit the model.

        """
        try:
            return model.model_validate_json(self.body)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, each["loc"])) for each in error.errors()).strip(", ") or "not JSON"
            raise UnexpectedResponseError(self.url, f"the response does not fit ({fields})") from None


class Exchange:
    """Sends HTTP requests to services, and keeps the nonces of their responses."""

    def __init__(self, session: aiohttp.ClientSession, timing: Timing) -> None:
        self._session = session
        self._timing = timing
        self._nonces: dict[str, list[tuple[str, float]]] = defaultdict(list)

    async def send(
        self, service_url: str, path: str, compact: str | None = None, headers: Mapping[str, str] | None = None
    ) -> ServiceResponse:
        """Get, or post a signed request.

        Args:
            service_url: The service's URL.
            path: The path below it.
            compact: The JWS to post, or None to get.
            headers: Further headers.

        Raises:
            UnreachableError: If the service cannot be reached.
            ProblemError: If the service refuses the request.
            UnexpectedResponseError: If the response does not fit the protocol.

        """
        response = await self._fetch(f"{service_url}{path}", compact, headers or {})
        nonce = response.headers.get("Replay-Nonce")
        if nonce is not None:
            kept = self._nonces[service_url]
            kept.append((nonce, time.monotonic()))
            del kept[:-MAX_NONCES]
        if response.status < ERROR_STATUS:
            return response
        problem = parse_problem(response.status, response.headers, response.body)
        if problem is None:
            raise UnexpectedResponseError(response.url, f"status {response.status}")
        raise ProblemError(problem, response.url)

    async def nonce(self, service_url: str) -> str:
        """Return the service's newest unused nonce, or request one.

        Raises:
            DeviceError: As `send` does.

        """
        kept = self._nonces[service_url]
        while kept:
            nonce, taken_at = kept.pop()
            if time.monotonic() - taken_at < NONCE_SECONDS:
                return nonce
        response = await self.send(service_url, "/nonce")
        if not kept:
            raise UnexpectedResponseError(response.url, "its response has no Replay-Nonce")
        return kept.pop()[0]

    async def _fetch(self, url: str, compact: str | None, more: Mapping[str, str]) -> ServiceResponse:
        method, headers = ("GET", {}) if compact is None else ("POST", {"Content-Type": "application/jose", **more})
        try:
            async with (
                asyncio.timeout(self._timing.exchange_seconds),
                self._session.request(method, url, data=compact, headers=headers, allow_redirects=False) as response,
            ):
                body = bytearray()
                async for chunk in response.content.iter_chunked(MAX_BODY_BYTES):
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise UnexpectedResponseError(url, f"more than {MAX_BODY_BYTES} bytes")
                return ServiceResponse(url, response.status, response.headers, bytes(body))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError(url, error) from error
