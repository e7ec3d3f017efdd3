"""Keeps the socket open, and reconnects with exponential backoff (docs/protocol.md section 5)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from authenticator.device.client import Client, origin_of
from authenticator.device.connection import Connection, connect
from authenticator.device.errors import ConnectionLostError, DeviceError, ProblemError, ReplacedError
from authenticator.device.frames import News, Ping
from authenticator.device.messages import Discovery
from authenticator.device.retries import BackoffPauses
from authenticator.device.store import Store
from protocol.signed_requests import Refusal, sign_request

log = logging.getLogger(__name__)
PERMANENT: Final = frozenset({Refusal.MALFORMED, Refusal.BAD_SIGNATURE, Refusal.WRONG_URL})
"""Refusals of the socket that a retry would repeat."""
OnConnectionError = Callable[[DeviceError, float], None]
"""Is called with an error of the connection, and the seconds until the next attempt."""


def log_connection_error(error: DeviceError, pause_seconds: float) -> None:
    """Log an error of the connection; the default callback."""
    log.info("%s; trying again in %.1f s", error, pause_seconds)


class Link:
    """A device's connection to the push service."""

    def __init__(self, client: Client, store: Store, on_connection_error: OnConnectionError) -> None:
        self._client = client
        self._store = store
        self._on_connection_error = on_connection_error
        self._discovery: Discovery | None = None
        self._connection: Connection | None = None
        self._failure: DeviceError | None = None
        self._last_error: DeviceError | None = None
        self._changed = asyncio.Event()

    async def run(self, on_frame: Callable[[News], None]) -> None:
        """Stay connected until cancelled.

        Args:
            on_frame: Handles the service's frames.

        Raises:
            ProblemError: If the service refuses permanently.
            ReplacedError: If another program uses the device's key; to reconnect would replace that one in turn.

        """
        pauses = BackoffPauses(self._client.timing)
        while True:
            try:
                await self._connect_once(on_frame, pauses)
            except DeviceError as error:
                self._last_error = error
                if _is_permanent(error):
                    self._failure = error
                    self._changed.set()
                    raise
                self._changed.set()
                pause_seconds = pauses.next_seconds()
                self._on_connection_error(error, pause_seconds)
                await asyncio.sleep(pause_seconds)

    async def connected(self, *, retry: bool = True) -> Connection:
        """Wait until the socket is open.

        Args:
            retry: Whether to wait for further attempts after a failed one.

        Raises:
            ProblemError: If the service refuses permanently.
            DeviceError: If an attempt failed, without ``retry``.

        """
        while self._connection is None:
            error = self._failure if retry else self._last_error
            if error is not None:
                raise error
            self._changed.clear()
            await self._changed.wait()
        return self._connection

    @property
    def is_open(self) -> bool:
        """Whether the socket is open."""
        return self._connection is not None

    def discovery(self) -> Discovery:
        """Return the services' addresses.

        Raises:
            ConnectionLostError: If the push service was not reached yet.

        """
        if self._discovery is None:
            text = "the push service was not reached yet"
            raise ConnectionLostError(text)
        return self._discovery

    async def send_receipt(self, challenge_id: str) -> None:
        """Report that a challenge is shown, if the socket is open; otherwise the challenge is sent again."""
        if self._connection is not None:
            await self._connection.send_receipt(challenge_id)

    async def renew(self) -> None:
        """Close the socket, and wait until a new one is open."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
        await self.connected()

    async def _connect_once(self, on_frame: Callable[[News], None], pauses: BackoffPauses) -> None:
        self._discovery = await self._client.discover()
        url = origin_of(self._discovery.socket_url)
        name = {"device_name": self._store.read().device_name}

        def sign(nonce: str) -> str:
            return sign_request(self._store.key, url=url, nonce=nonce, at=self._client.clock.now(), payload=name)

        async with connect(self._client.session, url, sign, self._client.timing) as connection:
            self._client.clock.synchronize(connection.ready.server_time)
            pauses.reset()
            self._connection, self._last_error = connection, None
            self._changed.set()
            try:
                async for frame in connection.frames():
                    if not isinstance(frame, Ping):
                        on_frame(frame)
                    elif frame.server_time is not None:
                        self._client.clock.synchronize(frame.server_time)
            finally:
                self._connection = None
        text = "the push service closed the connection"
        raise ConnectionLostError(text)


def _is_permanent(error: DeviceError) -> bool:
    """Return whether another attempt would fail likewise, or would make one of another program fail."""
    return isinstance(error, ReplacedError) or (isinstance(error, ProblemError) and error.problem.name in PERMANENT)
