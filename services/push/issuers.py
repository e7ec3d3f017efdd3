"""The keys of the services that sign challenges, as they publish them (RFC 7517).

They are for a challenge that a device answers before this instance has read it.
"""

import time
from collections.abc import Callable, Iterable
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
        self._keys: dict[str, frozenset[str]] = {url.rstrip("/"): frozenset() for url in urls}
        self._fetched_at: dict[str, float] = {}

    async def trusts(self, issuer: str, thumbprint: str) -> bool:
        """Tell whether a key is an issuer's. An unknown one is looked up, at most every half a minute."""
        if issuer not in self._keys:
            return False
        if thumbprint not in self._keys[issuer]:
            await self._refresh(issuer)
        return thumbprint in self._keys[issuer]

    async def _refresh(self, issuer: str) -> None:
        last = self._fetched_at.get(issuer)
        if last is not None and self._elapsed() - last < PAUSE_SECONDS:
            return
        self._fetched_at[issuer] = self._elapsed()
        try:
            timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"{issuer}/.well-known/jwks.json", allow_redirects=False) as response,
            ):
                response.raise_for_status()
                self._keys[issuer] = thumbprints_of(await response.content.read(MOST_BYTES))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("cannot fetch an issuer's keys", issuer=issuer, error=repr(error))
