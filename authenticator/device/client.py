"""What a device asks of the services over HTTP: where they are, key sets, signed requests (protocol.md 2 to 4)."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

import aiohttp

from authenticator.device.clock import ServiceClock
from authenticator.device.errors import DeviceError, ForeignAnswerError, ProblemError
from authenticator.device.exchange import Exchange
from authenticator.device.messages import Discovery
from authenticator.device.retries import BackoffPauses, Retries, Timing
from protocol.key_sets import thumbprints_of
from protocol.signed_requests import Refusal
from schemas.base import Model

ModelT = TypeVar("ModelT", bound=Model)
ResultT = TypeVar("ResultT")


class Sign(Protocol):
    """Signs a request under a nonce and a time; called again for each attempt."""

    def __call__(self, *, url: str, nonce: str, at: datetime) -> str:
        """Return the compact JWS to send."""


class Client:
    """The HTTP side of one device.

    Attributes:
        push_url: The push service's origin.
        session: Carries the requests.
        clock: Is put right at each discovery.
        timing: How patient the device is.

    """

    def __init__(self, session: aiohttp.ClientSession, push_url: str, clock: ServiceClock, timing: Timing) -> None:
        self.push_url = origin_of(push_url)
        self.session = session
        self.clock = clock
        self.timing = timing
        self._exchange = Exchange(session, timing)

    async def discover(self) -> Discovery:
        """Find the services, and put the clock right.

        Raises:
            DeviceError: If nothing answers there, or something else.

        """
        found = (await self._exchange.send(self.push_url, "/.well-known/countersign")).parse(Discovery)
        self.clock.synchronize(found.server_time)
        return found

    async def key_set(self, issuer: str, *, patience_seconds: float) -> frozenset[str]:
        """Fetch the thumbprints of the keys that an issuer signs with now.

        Args:
            issuer: The issuer's URL.
            patience_seconds: How long to go on trying while it is away or busy.

        Raises:
            DeviceError: If nothing answers there, or something else.

        """

        async def attempt() -> frozenset[str]:
            answer = await self._exchange.send(origin_of(issuer), "/.well-known/jwks.json")
            try:
                return thumbprints_of(answer.body)
            except ValueError as error:
                raise ForeignAnswerError(answer.url, str(error)) from error

        return await self._persist(attempt, patience_seconds)

    async def post(
        self, service_url: str, path: str, sign: Sign, model: type[ModelT], *, patience_seconds: float
    ) -> ModelT:
        """Send a signed request, again where docs/protocol.md section 3 says so.

        Args:
            service_url: The service's origin, which gives the nonces.
            path: The path below it.
            sign: Signs the request.
            model: What is answered.
            patience_seconds: How long to go on trying while the service is away or busy.

        Raises:
            ProblemError: If the service refuses for good.
            DeviceError: If it cannot be reached.

        """

        async def attempt() -> ModelT:
            nonce = await self._exchange.nonce(service_url)
            compact = sign(url=f"{service_url}{path}", nonce=nonce, at=self.clock.now())
            return (await self._exchange.send(service_url, path, compact)).parse(model)

        return await self._persist(attempt, patience_seconds)

    async def _persist(self, attempt: Callable[[], Awaitable[ResultT]], patience_seconds: float) -> ResultT:
        retries = Retries(BackoffPauses(self.timing), patience_seconds)
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
    """Return a service's URL as a device uses it: without a slash at its end."""
    return url.strip().rstrip("/")
