"""The issuers' keys, fetched from a server: which are trusted, how often they are asked for, and what is not taken."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Final

import pytest
from aiohttp import web

from deploy.local.kafka.settings import HOST
from deploy.local.ports import free_port
from protocol.jose import PrivateKey
from services.push.issuers import MOST_BYTES, PAUSE_SECONDS, IssuerKeys
from tests.builders import a_key

KEY: Final = a_key("login service")
NEXT_KEY: Final = a_key("next login service")


class KeyServer:
    """A service that publishes its keys.

    Attributes:
        url: Its URL.
        keys: The keys.
        requests: How often they were asked for.
        status: The status of its responses.
        padding: What else is in the body.

    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.keys = [KEY]
        self.requests = 0
        self.status = 200
        self.padding = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve the keys, in two parts."""
        self.requests += 1
        headers = {"Location": f"{self.url}/elsewhere"} if self.status == 302 else {}
        response = web.StreamResponse(status=self.status, headers=headers)
        await response.prepare(request)
        body = _key_set(self.keys, self.padding)
        await response.write(body[:100])
        await asyncio.sleep(0.05)
        await response.write(body[100:])
        return response

    async def serve_elsewhere(self, _request: web.Request) -> web.Response:
        """Serve the keys where they do not belong."""
        return web.Response(body=_key_set(self.keys))


@pytest.fixture
async def server() -> AsyncIterator[KeyServer]:
    """Serve an issuer's keys."""
    port = free_port()
    server = KeyServer(f"http://{HOST}:{port}")
    application = web.Application()
    application.router.add_get("/.well-known/jwks.json", server.serve)
    application.router.add_get("/elsewhere", server.serve_elsewhere)
    runner = web.AppRunner(application, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    yield server
    await runner.cleanup()


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


def _key_set(keys: list[PrivateKey], padding: str = "") -> bytes:
    return json.dumps({"keys": [each.public.jwk for each in keys], "padding": padding}).encode()


async def test_a_published_key_is_trusted_and_no_other(server: KeyServer) -> None:
    issuers = IssuerKeys((f"{server.url}/",))
    assert await issuers.trusts(server.url, KEY.public.thumbprint)
    assert await issuers.trusts(server.url, NEXT_KEY.public.thumbprint) is False
    assert await issuers.trusts("http://another.test", KEY.public.thumbprint) is False
    assert server.requests == 1


async def test_an_unknown_key_is_looked_up_again_after_a_pause(server: KeyServer) -> None:
    clock = Clock()
    issuers = IssuerKeys((server.url,), clock)
    assert await issuers.trusts(server.url, KEY.public.thumbprint)
    server.keys = [NEXT_KEY]
    clock.seconds += PAUSE_SECONDS - 1
    assert await issuers.trusts(server.url, NEXT_KEY.public.thumbprint) is False
    clock.seconds += 1
    assert await issuers.trusts(server.url, NEXT_KEY.public.thumbprint)
    assert await issuers.trusts(server.url, KEY.public.thumbprint) is False
    assert server.requests == 2


async def test_requests_at_once_share_one_look_up(server: KeyServer) -> None:
    issuers = IssuerKeys((server.url,))
    answers = await asyncio.gather(*(issuers.trusts(server.url, KEY.public.thumbprint) for _ in range(10)))
    assert answers == [True] * 10
    assert server.requests == 1


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_while_the_keys_cannot_be_fetched_it_is_not_known(server: KeyServer, status: int) -> None:
    clock = Clock()
    issuers = IssuerKeys((server.url,), clock)
    server.status = status
    assert await issuers.trusts(server.url, KEY.public.thumbprint) is None
    server.status = 200
    assert await issuers.trusts(server.url, KEY.public.thumbprint) is None
    clock.seconds += PAUSE_SECONDS
    assert await issuers.trusts(server.url, KEY.public.thumbprint)


async def test_an_issuer_that_is_away_is_not_known() -> None:
    url = f"http://{HOST}:{free_port()}"
    assert await IssuerKeys((url,)).trusts(url, KEY.public.thumbprint) is None


async def test_known_keys_stay_trusted_while_their_issuer_is_away(server: KeyServer) -> None:
    clock = Clock()
    issuers = IssuerKeys((server.url,), clock)
    assert await issuers.trusts(server.url, KEY.public.thumbprint)
    server.status = 500
    clock.seconds += PAUSE_SECONDS
    assert await issuers.trusts(server.url, NEXT_KEY.public.thumbprint) is False
    assert await issuers.trusts(server.url, KEY.public.thumbprint)


async def test_a_key_set_that_is_too_long_is_not_read(server: KeyServer) -> None:
    server.padding = "x" * MOST_BYTES
    assert await IssuerKeys((server.url,)).trusts(server.url, KEY.public.thumbprint) is None
