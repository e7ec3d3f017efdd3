"""The authenticator web app with fake services in one process, under the push service's page policy."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, Page, expect

from protocol.challenges import Claims
from protocol.jose import PrivateKey
from protocol.verification_codes import code_at, step_at
from schemas.contract import Purpose
from tests.component.device.fake_services import FakeServices

WEB_APP: Final = Path(__file__).parents[3] / "authenticator" / "web"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "connect-src 'self'"
)
PAIRING: Final = "pairing-1"
SECRET: Final = b"a secret of 20 bytes"
"""The secret of the verification codes of a phone that was paired before."""


class Stage(FakeServices):
    """The services, and the app at their origin.

    Attributes:
        version: What stands before the version of the app's files.

    """

    version = ""

    def application(self) -> web.Application:
        """Return the web application."""
        application = super().application()
        application.on_response_prepare.append(self._secure)
        application.router.add_get("/", _index)
        application.router.add_get("/service-worker.js", self._worker)
        application.router.add_static("/", WEB_APP)
        return application

    async def _secure(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = f"{POLICY} {self.origin.replace('http', 'ws', 1)}"

    async def _worker(self, _request: web.Request) -> web.Response:
        text = (WEB_APP / "service-worker.js").read_text(encoding="utf-8")
        text = text.replace('const VERSION = "', f'const VERSION = "{self.version}')
        return web.Response(text=text, content_type="text/javascript")

    async def unpair(self, key: PrivateKey | None = None, pairing_id: str = PAIRING, **changes: str) -> str:
        """Send the only device an unpaired statement with changes, and return the statement."""
        statement = self.parting(self.device_id, pairing_id, key, **changes)
        await self.part(self.device_id, statement)
        return statement

    async def send(self, frame: dict[str, object]) -> None:
        """Send the only device an arbitrary frame."""
        await self._send(self.device_id, frame)

    @property
    def device_id(self) -> str:
        """The only device that was connected."""
        (device_id,) = self._sockets
        return device_id


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(WEB_APP / "index.html")


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Serve them on a free port of localhost, which browsers treat as secure."""
    services = Stage()
    server = TestServer(services.application())
    await server.start_server()
    services.origin = f"http://localhost:{server.port}"
    try:
        yield services
    finally:
        await services.hang_up()
        await server.close()


async def a_phone(context: BrowserContext) -> Page:
    """Open the app as a new phone, enter a name, and wait until it is connected."""
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_test_id("device-name").fill("Pixel 9")
    await page.get_by_test_id("continue").click()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    return page


async def a_paired_phone(context: BrowserContext, services: Stage) -> Page:
    """Open the app as a paired phone, and wait until it is connected."""
    page = await context.new_page()
    await page.goto("/icons/icon.svg")
    code = """async ([issuer, key, pairing_id, secret]) => {
      const store = await (await import("/store.js")).openStore();
      const account = { issuer, account_id: "account-1", account_name: "ann@example.com", service: "Account Manager" };
      const hmac = { name: "HMAC", hash: "SHA-1" };
      const bytes = new TextEncoder().encode(secret);
      const codeKey = await crypto.subtle.importKey("raw", bytes, hmac, false, ["sign"]);
      await store.put("accounts", { ...account, keys: [key], since: 0, pairing_id, codeKey });
      await store.put("device", "Pixel 9", "name");
    }"""
    await page.evaluate(code, [services.origin, services.key.public.thumbprint, PAIRING, SECRET.decode()])
    await page.goto("/")
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    return page


async def ask(services: Stage, purpose: Purpose = Purpose.LOGIN, **changes: object) -> Claims:
    """Send the phone a challenge."""
    claims = services.claims(services.device_id, purpose, **changes)
    await services.ask(claims)
    return claims


@asynccontextmanager
async def network_lost(page: Page, services: Stage) -> AsyncIterator[None]:
    """Keep the answer that is given meanwhile from the services; the app sends it after a reload, once it is online."""
    away = f"{services.origin}/challenges/**"
    await page.context.route(away, lambda route: route.abort())
    yield
    await result_is(page, "Not sent yet")
    await page.reload()
    await result_is(page, "Not sent yet")
    await page.context.unroute(away)
    await page.evaluate("dispatchEvent(new Event('online'))")


async def press(page: Page, name: str) -> None:
    """Press a button, by its test id."""
    await page.get_by_test_id(name).click()


async def result_is(page: Page, heading: str) -> None:
    """Wait for the result with this heading."""
    await expect(page.get_by_test_id("result").get_by_role("heading")).to_have_text(heading)


async def shows_code_of(page: Page, services: Stage, secret: bytes) -> None:
    """Wait until the only account shows the verification code of a secret at the services' time."""
    step = step_at(services.now())
    codes = (code_at(secret, each) for each in (step, step + 1))
    spelled = "|".join(" ".join(code) for code in codes)
    label = re.compile(rf"^Verification code of ann@example\.com: ({spelled})\. Copy$")
    await expect(page.get_by_role("button", name=label)).to_be_visible()
