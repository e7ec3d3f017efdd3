"""/ready tells only programs on the same machine why an instance is not ready."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from services.common.instance.health import Health
from services.common.telemetry.telemetry import Telemetry
from services.common.web.web import make_web, render_problem

REASON = "auth.challenge is missing"


class Unready:
    """A health that is red."""

    def reason_texts(self) -> list[str]:
        """Return why."""
        return [REASON]


@pytest.fixture
async def client() -> AsyncIterator[TestClient[Any, Any]]:
    """Give a client of an instance that is not ready."""
    application = make_web(cast("Health", Unready()), Telemetry(), render_problem, "default-src 'none'")
    async with TestClient(TestServer(application)) as connected:
        yield connected


async def test_a_program_here_hears_the_reasons(client: TestClient[Any, Any]) -> None:
    async with client.get("/ready") as response:
        assert (response.status, await response.json()) == (503, {"status": "not ready", "reasons": [REASON]})


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via"])
async def test_who_comes_through_a_proxy_does_not(client: TestClient[Any, Any], header: str) -> None:
    async with client.get("/ready", headers={header: "203.0.113.7"}) as response:
        assert (response.status, await response.json()) == (503, {"status": "not ready"})


async def test_who_comes_from_elsewhere_does_not(client: TestClient[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiohttp.web.BaseRequest.remote", "203.0.113.7")
    async with client.get("/ready") as response:
        assert (response.status, await response.json()) == (503, {"status": "not ready"})
