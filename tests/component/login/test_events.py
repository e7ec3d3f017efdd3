"""An event stream frees its slot when its browser disconnects."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp import ClientSession, web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from services.common.kafka.publisher import UnavailableError
from services.login.web import events
from services.login.web.cookies import Ticket
from services.login.web.events import Events
from tests.builders import LIMITS
from tests.polling import DEADLINE_SECONDS


class Accounts:
    """A view without rows."""

    def get(self, _key: str) -> None:
        """Return no account."""


class Cookies:
    """The cookies of a browser with a waiting login."""

    def read(self, _request: web.Request, _name: str) -> Ticket:
        return Ticket("alex", "token")


@pytest.fixture
async def url(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Provide the URL of a service that allows one stream, which never sends an event."""

    async def wait_for_ever(*_arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Events, "_stream", wait_for_ever)
    monkeypatch.setattr(events, "PING_SECONDS", 0.05)
    streams = Events(cast("Any", Accounts()), cast("Any", None), cast("Any", Cookies()), LIMITS, most_streams=1)

    async def serve(request: web.Request) -> web.StreamResponse:
        try:
            return await streams.serve(request)
        except UnavailableError:
            return web.Response(status=503)

    application = web.Application()
    application.router.add_get("/events", serve)
    # Like the services: a handler does not learn that its client has disconnected.
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, HOST, port).start()
    yield f"http://{HOST}:{port}/events"
    await runner.cleanup()


async def test_a_browser_that_leaves_frees_its_stream(url: str) -> None:
    async with ClientSession() as first, ClientSession() as second:
        stream = await first.get(url)
        assert stream.status == 200
        assert await status(second, url) == 503
        assert await stream.content.readline() == b": ping\r\n"
        stream.close()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await status(second, url) != 200:
                await asyncio.sleep(0.02)


async def status(session: ClientSession, url: str) -> int:
    """Open a stream, leave it, and return its status."""
    async with session.get(url) as answer:
        return answer.status
