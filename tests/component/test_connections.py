"""A port's connections are bounded in number and time, so slow or silent clients keep no others out."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import pytest
from aiohttp import ClientSession, web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from services.common.instance import runtime
from services.common.instance.runtime import listen
from services.common.settings import ServiceSettings
from services.common.telemetry.telemetry import make_telemetry
from services.common.web import web as common_web
from services.common.web.web import make_web, render_problem
from tests.polling import DEADLINE_SECONDS

MOST: Final = 8
HEAD: Final = b"GET /there HTTP/1.1\r\nHost: x\r\n"
Port = int


class _AlwaysReady:
    """The health of an instance that is ready."""

    def reason_texts(self) -> list[str]:
        """Return no reason."""
        return []


async def _there(request: web.Request) -> web.Response:
    return web.Response(text=str(len(await request.read())))


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Port]:
    """Serve a page, with short times and few connections."""
    monkeypatch.setattr(runtime, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(runtime, "most_connections", lambda: MOST)
    monkeypatch.setattr(common_web, "BODY_SECONDS", 0.3)
    port = free_port()
    telemetry = make_telemetry("test", ServiceSettings(port=port))
    application = make_web(_AlwaysReady(), telemetry, render_problem, "default-src 'none'")  # type: ignore[arg-type]
    application.router.add_route("*", "/there", _there)
    listener = await listen(application, HOST, port, drain_seconds=1)
    yield port
    await listener.cleanup()


async def _sent(port: Port, content: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(content)
    return reader, writer


async def _end(reader: asyncio.StreamReader) -> bytes:
    """Return what comes until the connection closes."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await reader.read()


@pytest.mark.parametrize("content", [b"", b"G", HEAD, HEAD + b"X-A: "])
async def test_half_a_head_is_not_waited_for(port: Port, content: bytes) -> None:
    reader, writer = await _sent(port, content)
    assert await _end(reader) == b""
    writer.close()


async def test_half_a_head_after_a_request_is_not_waited_for_either(port: Port) -> None:
    reader, writer = await _sent(port, HEAD + b"\r\n")
    assert b" 200 OK" in await reader.readuntil(b"\r\n\r\n0")
    writer.write(HEAD)
    assert await _end(reader) == b""
    writer.close()


async def test_a_head_that_trickles_in_is_not_waited_for(port: Port) -> None:
    reader, writer = await _sent(port, HEAD)
    for _ in range(20):
        writer.write(b"X-A: b\r\n")
        await asyncio.sleep(0.05)
        if reader.at_eof():
            break
    assert reader.at_eof()
    writer.close()


async def test_half_a_body_is_refused(port: Port) -> None:
    head = HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\n"
    reader, writer = await _sent(port, head + b"abc")
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert b" 408 " in await reader.readline()
    writer.close()


async def test_a_whole_request_is_served(port: Port) -> None:
    async with ClientSession() as session:
        for body in (b"", b"abc"):
            response = await session.post(f"http://{HOST}:{port}/there", data=body)
            assert await response.text() == str(len(body))


async def test_silent_connections_make_room_for_a_request(port: Port) -> None:
    silent = [await _sent(port, HEAD) for _ in range(MOST)]
    async with ClientSession() as session:
        response = await session.get(f"http://{HOST}:{port}/there")
        assert response.status == 200
    assert await _end(silent[0][0]) == b""
    for _, writer in silent:
        writer.close()
