"""Bounds of an instance's connections: their number, and the time that the head of a request may take.

aiohttp waits for a head as long as it takes. So a client could hold files open with half a head in each, until none is
left for others (CWE-770; slow HTTP, "Slowloris").
"""

import asyncio
import resource
from collections.abc import Callable
from typing import Final, cast

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

log = structlog.get_logger(__name__)
HEAD_SECONDS: Final = 10.0


def most_connections() -> int:
    """Return how many connections an instance takes: half of its open files, as Kafka and the store need some."""
    return max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


class Connections:
    """The connections of one port."""

    def __init__(self, most: int, head_seconds: float) -> None:
        """Take none yet.

        Args:
            most: How many there may be; a further one takes the place of the one that has waited longest for a head.
            head_seconds: How long a head may take, from the connection or from its first byte.

        """
        self._most = most
        self.head_seconds: Final = head_seconds
        self._open: dict[asyncio.BaseProtocol, TimedConnection] = {}
        self._idle: dict[TimedConnection, None] = {}

    def factory(self, server: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Return the factory of protocols that bound those of a web server."""
        return lambda: TimedConnection(self, server())

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that a head has arrived, and that the next may come; the outermost middleware."""
        connection = self._open.get(request.protocol)
        if connection is None:
            return await handler(request)
        self._idle.pop(connection, None)
        connection.stop_waiting()
        try:
            return await handler(request)
        finally:
            if request.protocol in self._open:
                self._idle[connection] = None
                connection.await_head()

    def opened(self, connection: "TimedConnection") -> bool:
        """Take a connection; return False if there is no room."""
        if len(self._open) >= self._most:
            longest = next(iter(self._idle), None)
            log.warning("too many connections", most=self._most)
            if longest is None:
                return False
            longest.close()
        self._open[connection.inner] = connection
        self._idle[connection] = None
        return True

    def closed(self, connection: "TimedConnection") -> None:
        """Forget a connection."""
        self._open.pop(connection.inner, None)
        self._idle.pop(connection, None)


class TimedConnection(asyncio.Protocol):
    """A connection that closes if a head takes too long; all else is the web server's protocol's.

    Attributes:
        inner: The web server's protocol.

    """

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self.inner = inner
        self._connections = connections
        self._transport: asyncio.Transport | None = None
        self._awaits_head = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        self._transport = cast("asyncio.Transport", transport)
        if not self._connections.opened(self):
            self._transport.abort()
        self.inner.connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on; the first ones of a head start its time."""
        if self._awaits_head and self._timer is None:
            self._start_timer()
        self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass the end on."""
        return self.inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.stop_waiting()
        self._connections.closed(self)
        self.inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self.inner.resume_writing()

    def stop_waiting(self) -> None:
        """Note that a head has arrived."""
        self._awaits_head = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def await_head(self) -> None:
        """Note that the response to the last request is on its way; the web server closes an idle connection."""
        self._awaits_head = True

    def close(self) -> None:
        """Close the connection."""
        self._connections.closed(self)
        if self._transport is not None:
            self._transport.close()

    def _start_timer(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._connections.head_seconds, self.close)
