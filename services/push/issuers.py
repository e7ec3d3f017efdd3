"""The keys of the services that sign challenges, as they publish them (RFC 7517).

They are for a challenge that a device answers before this instance has read it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import aiohttp
import structlog

from protocol.jose import thumbprints_of

log = structlog.get_logger(__name__)
FETCH_SECONDS: Final = 2.0
PAUSE_SECONDS: Final = 30.0
"""The shortest time between two requests to one issuer."""
MOST_BYTES: Final = 64 * 1024


class IssuerKeys:
    """The thumbprints of the issuers' keys (RFC 7638)."""

    def __init__(self, urls: Iterable[str], elapsed: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; they are fetched when they are needed.

        Args:
            urls: The URLs of the services that sign challenges.
            elapsed: A clock that only goes forward, in seconds.

        """
        self._elapsed = elapsed
        self._issuers = {url.rstrip("/"): _Issuer() for url in urls}

    async def trusts(self, issuer: str, thumbprint: str) -> bool | None:
        """Tell whether a key is an issuer's; None while that issuer's keys cannot be fetched.

        An unknown key is looked up, at most every half a minute.
        """
        known = self._issuers.get(issuer)
        if known is None:
            return False
        if thumbprint not in (known.keys or ()):
            async with known.fetching:
                await self._refresh(issuer, known)
        return None if known.keys is None else thumbprint in known.keys

    async def _refresh(self, url: str, issuer: "_Issuer") -> None:
        if issuer.fetched_at is not None and self._elapsed() - issuer.fetched_at < PAUSE_SECONDS:
            return
        issuer.fetched_at = self._elapsed()
        try:
            issuer.keys = thumbprints_of(await _fetch(f"{url}/.well-known/jwks.json"))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("cannot fetch an issuer's keys", issuer=url, error=repr(error))


@dataclass(slots=True)
class _Issuer:
    """One issuer: its keys' thumbprints, and when they were last asked for; None before the first time."""

    keys: frozenset[str] | None = None
    fetched_at: float | None = None
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)


async def _fetch(url: str) -> bytes:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url, allow_redirects=False) as response:
        if response.status != HTTPStatus.OK:
            text = f"the response has the status {response.status}"
            raise ValueError(text)
        try:
            return await response.content.readexactly(MOST_BYTES)
        except asyncio.IncompleteReadError as end:
            return end.partial
