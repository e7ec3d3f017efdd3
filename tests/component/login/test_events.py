"""An event stream frees its slot when its browser disconnects."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final, cast

import pytest
from aiohttp import ClientSession, web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from services.common.kafka.publisher import UnavailableError
from services.login.web import events
from services.login.web.cookies import Ticket
from services.login.web.events import MOST_OF_A_LOGIN, Events
from tests.builders import LIMITS
from tests.polling import DEADLINE_SECONDS

MOST: Final = 8


class Accounts:
    """A view without rows."""

    def get(self, _key: str) -> None:
        """Return no account."""


class Cookies:
    """The cookies of a browser with a waiting login."""

    def read(self, request: web.Request, _name: str) -> Ticket:
        return Ticket("alex", request.query["login"])


@pytest.fixture
async def url(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Provide the URL of a service that allows a few streams, which never send an event."""

    async def wait_for_ever(*_arguments: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Events, "_stream", wait_for_ever)
    monkeypatch.setattr(events, "PING_SECONDS", 0.05)
    streams = Events(cast("Any", Accounts()), cast("Any", None), cast("Any", Cookies()), LIMITS, most_streams=MOST)

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
        opened = [await first.get(f"{url}?login={number}") for number in range(MOST)]
        assert {each.status for each in opened} == {200}
        assert await status(second, f"{url}?login=another") == 503
        assert await opened[0].content.readline() == b": ping\r\n"
        for each in opened:
            each.close()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await status(second, f"{url}?login=another") != 200:
                await asyncio.sleep(0.02)


async def test_a_login_has_five_streams_and_the_oldest_leaves(url: str) -> None:
    async with ClientSession() as session:
        opened = [await session.get(f"{url}?login=one") for _ in range(MOST_OF_A_LOGIN + 1)]
        async with asyncio.timeout(DEADLINE_SECONDS):
            ended = await opened[0].content.read()
        assert b"retry: 60000" in ended
        assert await status(session, f"{url}?login=two") == 200
        assert not any(each.content.at_eof() for each in opened[1:])
        for each in opened:
            each.close()


async def status(session: ClientSession, url: str) -> int:
    """Open a stream, leave it, and return its status."""
    async with session.get(url) as answer:
        return answer.status
