"""A device's HTTP client: discovery, key sets, signed requests (docs/protocol.md sections 2 to 4)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeVar

import aiohttp

from authenticator.device.clock import ServiceClock
from authenticator.device.errors import DeviceError, ProblemError, UndecidedError, UnexpectedResponseError
from authenticator.device.exchange import Exchange
from authenticator.device.messages import Discovery
from authenticator.device.retries import BackoffPauses, Retries, Timing
from protocol.jose import thumbprints_of
from protocol.signed_requests import Refusal
from schemas.base import Model

ModelT = TypeVar("ModelT", bound=Model)
ResultT = TypeVar("ResultT")


class Sign(Protocol):
    """Signs a request with a nonce and a time; called for each attempt."""

    def __call__(self, *, url: str, nonce: str, at: datetime) -> str:
        """Return the compact JWS to send."""


class Client:
    """The HTTP client of one device.

    Attributes:
        push_url: The push service's URL.
        session: The HTTP session.
        clock: The service's time; each discovery synchronizes it.
        timing: Timeouts and pauses.

    """

    def __init__(self, session: aiohttp.ClientSession, push_url: str, clock: ServiceClock, timing: Timing) -> None:
        self.push_url = origin_of(push_url)
        self.session = session
        self.clock = clock
        self.timing = timing
        self._exchange = Exchange(session, timing)

    async def discover(self) -> Discovery:
        """Fetch the services' addresses, and synchronize the clock.

        Raises:
            DeviceError: If the push service does not respond as expected.

        """
        found = (await self._exchange.send(self.push_url, "/.well-known/countersign")).parse(Discovery)
        self.clock.synchronize(found.server_time)
        return found

    async def key_set(self, issuer: str, *, retry_seconds: float) -> frozenset[str]:
        """Fetch the thumbprints of an issuer's current keys.

        Args:
            issuer: The issuer's URL.
            retry_seconds: How long to retry while the issuer is unavailable.

        Raises:
            DeviceError: If the issuer does not respond as expected.

        """

        async def attempt() -> frozenset[str]:
            response = await self._exchange.send(origin_of(issuer), "/.well-known/jwks.json")
            try:
                return thumbprints_of(response.body)
            except ValueError as error:
                raise UnexpectedResponseError(response.url, str(error)) from error

        return await self._retry(attempt, retry_seconds)

    async def post(  # noqa: PLR0913 - the parts of one request
        self,
        service_url: str,
        path: str,
        sign: Sign,
        model: type[ModelT],
        *,
        retry_seconds: float,
        headers: Mapping[str, str] | None = None,
        is_settled: Callable[[ModelT], bool] = lambda _response: True,
    ) -> ModelT:
        """Send a signed request, with the retries of docs/protocol.md section 3.

        Args:
            service_url: The service's URL, which issues the nonces.
            path: The path below it.
            sign: Signs the request.
            model: The type of the response.
            retry_seconds: How long to retry while the service is unavailable.
            headers: Further headers.
            is_settled: Whether a response is the last word; if not, the request is sent again after a pause.

        Raises:
            ProblemError: If the service refuses the request.
            DeviceError: If the service cannot be reached.

        """

        async def attempt() -> ModelT:
            nonce = await self._exchange.nonce(service_url)
            compact = sign(url=f"{service_url}{path}", nonce=nonce, at=self.clock.now())
            response = (await self._exchange.send(service_url, path, compact, headers)).parse(model)
            if not is_settled(response):
                raise UndecidedError
            return response

        return await self._retry(attempt, retry_seconds)

    async def _retry(self, attempt: Callable[[], Awaitable[ResultT]], retry_seconds: float) -> ResultT:
        retries = Retries(BackoffPauses(self.timing), retry_seconds)
        started = time.monotonic()
        while True:
            try:
                return await attempt()
            except DeviceError as error:
                pause = retries.pause_seconds(error, time.monotonic() - started)
                if pause is None:
                    raise
                if isinstance(error, ProblemError) and error.problem.name == Refusal.STALE:
                    await self.discover()
                await asyncio.sleep(pause)


def origin_of(url: str) -> str:
    """Return a service's URL without a trailing slash."""
    return url.strip().rstrip("/")
