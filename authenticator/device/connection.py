"""The device's WebSocket: its opening and its frames (docs/protocol.md section 5)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final, TypeVar

import aiohttp

from authenticator.device.errors import (
    ConnectionLostError,
    ProblemError,
    ReplacedError,
    UnexpectedResponseError,
    UnreachableError,
)
from authenticator.device.frames import HelloFrame, News, Ping, ProblemFrame, ReadyFrame, parse_frame
from authenticator.device.messages import read_problem
from authenticator.device.retries import Timing

FULL_CODE: Final = 1013
REPLACED_CODE: Final = 4409
MAX_FRAME_BYTES: Final = 64 * 1024
FrameT = TypeVar("FrameT", HelloFrame, ReadyFrame)
SignOpening = Callable[[str], str]
"""Returns the JWS that opens the socket, for the nonce of the service's hello."""


class Connection:
    """An open socket; ``ready`` is the service's frame that opened it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, ready: ReadyFrame, timing: Timing) -> None:
        self.ready = ready
        self._socket = socket
        self._timing = timing

    async def frames(self) -> AsyncIterator[News | Ping]:
        """Yield the service's frames, including pings.

        Raises:
            ConnectionLostError: When the socket closes, or not even a ping arrives for too long.
        ReplacedError: When another program has connected with the same key.

        """
        while True:
            text = await _receive(self._socket, self._timing.silence_seconds)
            frame = parse_frame(text)
            if isinstance(frame, News | Ping):
                yield frame

    async def send_receipt(self, challenge_id: str) -> None:
        """Report that a challenge is shown. If the socket is lost, the challenge is sent again on the next one."""
        try:
            await self._socket.send_json({"type": "receipt", "challenge_id": challenge_id})
        except (aiohttp.ClientError, ConnectionError):
            return

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()


@asynccontextmanager
async def connect(
    session: aiohttp.ClientSession, url: str, sign: SignOpening, timing: Timing
) -> AsyncIterator[Connection]:
    """Open a socket, and close it at the end.

    Raises:
        UnreachableError: If the URL cannot be reached.
        ProblemError: If the service refuses the opening.
        ConnectionLostError: If the socket closes or falls silent.
        UnexpectedResponseError: If the service breaks the protocol.

    """
    try:
        async with asyncio.timeout(timing.handshake_seconds):
            socket = await session.ws_connect(url, max_msg_size=MAX_FRAME_BYTES)
    except aiohttp.WSServerHandshakeError as error:
        if error.status != HTTPStatus.UPGRADE_REQUIRED:
            raise UnreachableError(url, error) from error
        raise UnexpectedResponseError(url, "a proxy on the way does not pass WebSockets on") from error
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise UnreachableError(url, error) from error
    try:
        hello = await _expect(socket, HelloFrame, url, timing)
        await socket.send_json({"type": "open", "request": sign(hello.nonce)})
        yield Connection(socket, await _expect(socket, ReadyFrame, url, timing), timing)
    except (aiohttp.ClientError, ConnectionError) as error:
        text = f"the connection to {url} broke: {error}"
        raise ConnectionLostError(text) from error
    finally:
        await socket.close()


async def _expect(socket: aiohttp.ClientWebSocketResponse, expected: type[FrameT], url: str, timing: Timing) -> FrameT:
    text = await _receive(socket, timing.handshake_seconds)
    frame = parse_frame(text)
    if isinstance(frame, expected):
        return frame
    problem = read_problem(frame.problem, _status(frame.problem)) if isinstance(frame, ProblemFrame) else None
    if problem is not None:
        raise ProblemError(problem, url)
    raise UnexpectedResponseError(url, f"a frame that is not {json.dumps(expected.__name__.lower())}")


def _status(document: dict[str, object]) -> int:
    status = document.get("status")
    return status if isinstance(status, int) else 0


async def _receive(socket: aiohttp.ClientWebSocketResponse, silence_seconds: float) -> str:
    try:
        message = await socket.receive(timeout=silence_seconds)
    except TimeoutError as error:
        text = f"nothing arrived for {silence_seconds:g} s"
        raise ConnectionLostError(text) from error
    if message.type is aiohttp.WSMsgType.TEXT:
        return str(message.data)
    if socket.close_code == FULL_CODE:
        text = "the push service is full"
        raise ConnectionLostError(text)
    if socket.close_code == REPLACED_CODE:
        raise ReplacedError
    text = f"the push service closed the connection (code {socket.close_code})"
    raise ConnectionLostError(text)
