"""/ready says how X-Forwarded-For does not fit the settings, and stays green."""

from typing import Any, cast

from aiohttp.test_utils import TestClient, TestServer

from services.common.instance.health import Health
from services.common.telemetry.telemetry import make_telemetry
from services.common.web.proxies import PROXIES, UNTRUSTED, Proxies, client_address
from services.common.web.web import make_web, render_problem
from services.pairing.settings import PairingSettings


class GreenHealth:
    """An instance that is ready."""

    def reason_texts(self) -> list[str]:
        """Return why it is not."""
        return []


async def test_hops_that_do_not_fit_are_a_warning_until_they_fit() -> None:
    health, telemetry = cast("Health", GreenHealth()), make_telemetry("pairing", PairingSettings())
    application = make_web(health, telemetry, render_problem, "default-src 'none'")
    application[PROXIES] = Proxies()
    trusted = [0]

    async def show(request: Any) -> Any:
        return render_problem(request, 200, "seen", client_address(request, trusted[0]))

    application.router.add_get("/", show)
    async with TestClient(TestServer(application)) as client:
        assert await (await client.get("/ready")).json() == {"status": "ready"}
        headers = {"X-Forwarded-For": "203.0.113.8:50000"}
        assert (await (await client.get("/", headers=headers)).json(content_type=None))["detail"] == "127.0.0.1"
        assert await (await client.get("/ready")).json() == {"status": "ready", "warnings": [UNTRUSTED]}
        trusted[0] = 1
        assert (await (await client.get("/", headers=headers)).json(content_type=None))["detail"] == "203.0.113.8"
        assert await (await client.get("/ready")).json() == {"status": "ready"}
