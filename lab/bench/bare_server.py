"""A bare aiohttp server in a process of its own: a handler that answers a line, and WebSockets that say nothing."""

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from aiohttp import web

from services.common.instance.resources import raise_open_files

STOP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class BareServer:
    """A running one.

    Attributes:
        url: Where its handler is.
        socket_url: Where its WebSockets are.
        pid: Its process.

    """

    url: str
    socket_url: str
    pid: int


@contextmanager
def bare_server() -> Iterator[BareServer]:
    """Give a server, and end it afterwards."""
    context = multiprocessing.get_context("spawn")
    pipe, other = context.Pipe()
    process = context.Process(target=_serve, args=(other,), daemon=True)
    process.start()
    try:
        port: int = pipe.recv()
        address = f"127.0.0.1:{port}"
        yield BareServer(f"http://{address}/", f"ws://{address}/socket", process.pid or 0)
    finally:
        process.terminate()
        process.join(STOP_SECONDS)
        process.kill()


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that started this
    raise_open_files()
    asyncio.run(_run(pipe))


async def _run(pipe: Connection) -> None:
    application = web.Application()
    application.router.add_get("/", _answer)
    application.router.add_get("/socket", _hold)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    pipe.send(runner.addresses[0][1])
    await asyncio.Event().wait()


async def _answer(_request: web.Request) -> web.Response:
    return web.Response(text="A line.\n")


async def _hold(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for _message in socket:
        pass
    return socket
