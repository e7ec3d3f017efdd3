"""The containers' proxy passes on who the client is from proxies that are trusted, and speaks https where it shall.

Where Caddy is not installed, these are skipped.
"""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest
from aiohttp import ClientConnectionError, ClientSession, web
from aiohttp.test_utils import TestServer

from deploy.local.child_process import Child
from deploy.local.ports import free_port
from operations.certificates import AUTHORITY, certificate_path, key_path, make_authority, make_certificate
from tests.polling import POLL_SECONDS

CADDYFILE: Final = Path(__file__).parents[2] / "deploy" / "containers" / "Caddyfile"
SPOOFED: Final = {"X-Forwarded-For": "198.51.100.7"}
pytestmark = pytest.mark.skipif(shutil.which("caddy") is None, reason="Caddy is not installed")


async def forwarded(request: web.Request) -> web.Response:
    """Say which clients the proxy names."""
    return web.Response(text=", ".join(request.headers.getall("X-Forwarded-For", ())))


@contextmanager
def caddy(directory: Path, backend: int, environment: dict[str, str]) -> Iterator[int]:
    """Run the proxy in front of a server on this machine; give its port."""
    front, text = free_port(), CADDYFILE.read_text()
    for service, port, own in (("login", 8100, front), ("pairing", 8200, free_port()), ("push", 8300, free_port())):
        text = text.replace(
            f":{port} {{\n\timport service {service} {port}", f":{own} {{\n\timport service localhost {backend}"
        )
    config = directory / "Caddyfile"
    config.write_text(text.replace("/certificates/", f"{directory}/"))
    process = Child(["caddy", "run", "--config", str(config)], directory / "caddy.log", environment)
    try:
        yield front
    finally:
        process.kill()


@asynccontextmanager
async def through_the_proxy(directory: Path, environment: dict[str, str]) -> AsyncIterator[str]:
    """Give what a server behind the proxy hears of a client that sends X-Forwarded-For itself."""
    application = web.Application()
    application.router.add_get("/", forwarded)
    scheme, context = "http", None
    if environment.get("TLS") == "on":
        scheme = "https"
        context = ssl.create_default_context(cafile=certificate_path(directory, AUTHORITY))
    async with TestServer(application) as server, ClientSession() as client:
        assert server.port
        with caddy(directory, server.port, environment) as port:
            heard: list[str] = []
            while not heard:
                try:
                    async with client.get(f"{scheme}://localhost:{port}/", headers=SPOOFED, ssl=context or True) as got:
                        assert got.status == 200
                        heard.append(await got.text())
                except ClientConnectionError:
                    await asyncio.sleep(POLL_SECONDS)
            yield heard[0]


async def test_what_strangers_say_of_themselves_is_dropped(tmp_path: Path) -> None:
    async with through_the_proxy(tmp_path, {"TRUSTED_NETWORKS": "203.0.113.0/24"}) as heard:
        assert heard in {"127.0.0.1", "::1"}


async def test_what_a_trusted_proxy_says_is_passed_on_with_its_address(tmp_path: Path) -> None:
    async with through_the_proxy(tmp_path, {"TRUSTED_NETWORKS": "127.0.0.0/8 ::1/128"}) as heard:
        assert heard in {f"198.51.100.7, {loopback}" for loopback in ("127.0.0.1", "::1")}


async def test_https_with_certificates_from_files(tmp_path: Path) -> None:
    make_authority(tmp_path)
    make_certificate(tmp_path, "tls", ["localhost"])
    assert key_path(tmp_path, "tls").exists()
    async with through_the_proxy(tmp_path, {"TLS": "on"}) as heard:
        assert heard
