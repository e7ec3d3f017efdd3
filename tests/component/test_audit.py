"""The lookup of known vulnerabilities: the real pip-audit with a service of the test."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.local.ports import free_port
from deploy.local.vulnerabilities import UNREACHED, find_vulnerabilities
from tests.builders import T0

LOCK_FILE = f"harmless==1.0 --hash=sha256:{'0' * 64}\nleaky==2.0 --hash=sha256:{'1' * 64}\n"
UNKNOWN = f"elsewhere @ https://files.test/elsewhere-2.0.zip --hash=sha256:{'2' * 64}\n"
"""pip-audit skips a package without a version."""
LEAK = {
    "id": "OSV-2026-1",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.1"}]}],
        }
    ],
}


@dataclass
class Service:
    """A vulnerability service with OSV's API, and the files of one project.

    Attributes:
        known: The vulnerabilities that it knows, by package.
        queried: The packages that were queried.
        broken: True to answer with an error.
        now: The time.

    """

    directory: Path
    url: str = ""
    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    queried: list[str] = field(default_factory=list)
    broken: bool = False
    now: datetime = T0

    async def query(self, request: web.Request) -> web.Response:
        """Answer what is known of a package."""
        name = (await request.json())["package"]["name"]
        self.queried.append(name)
        vulnerabilities = self.known.get(name)
        return web.json_response(
            {"vulns": vulnerabilities} if vulnerabilities else {}, status=503 if self.broken else 200
        )

    async def audit(self, *urls: str, refresh: bool = False) -> tuple[bool, str]:
        """Look up vulnerabilities here or at other URLs."""
        options = [("--vulnerability-service", "osv", "--osv-url", url) for url in urls or (self.url,)]
        return await asyncio.to_thread(
            find_vulnerabilities, [self.lock_file], options, self.memory, self.now, refresh=refresh
        )

    @property
    def lock_file(self) -> Path:
        """The project's lock file."""
        return self.directory / "main.txt"

    @property
    def memory(self) -> Path:
        """Where the last result is kept."""
        return self.directory / "run" / "audit.json"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """Provide a running service."""
    made = Service(tmp_path)
    made.lock_file.write_text(LOCK_FILE)
    application = web.Application()
    application.router.add_post("/v1/query", made.query)
    async with TestServer(application) as server:
        made.url = str(server.make_url("/v1/query"))
        yield made


async def test_packages_without_known_vulnerabilities_pass_and_are_cached_for_a_day(service: Service) -> None:
    assert await service.audit() == (True, "no known vulnerabilities in 2 packages")
    assert service.queried == ["harmless", "leaky"]
    fine, text = await service.audit()
    assert fine
    assert text.startswith("no known vulnerabilities in 2 packages (looked up at ")
    assert len(service.queried) == 2


async def test_a_vulnerability_fails_each_run_and_names_the_fix(service: Service) -> None:
    service.known["leaky"] = [LEAK]
    for _ in range(2):
        fine, text = await service.audit()
        assert not fine
        assert text == "known vulnerabilities: 1\n  leaky 2.0: OSV-2026-1, fixed in 2.1"


async def test_changed_packages_a_refresh_and_a_day_each_look_up_again(service: Service) -> None:
    await service.audit()
    service.known["leaky"] = [LEAK]
    assert (await service.audit())[0]
    assert not (await service.audit(refresh=True))[0]
    service.lock_file.write_text(LOCK_FILE + "\n")
    assert not (await service.audit())[0]
    service.lock_file.write_text(LOCK_FILE)
    service.now += timedelta(hours=23)
    assert (await service.audit())[0]
    service.now += timedelta(hours=1)
    assert not (await service.audit())[0]


async def test_an_unreachable_service_is_reported_and_does_not_fail_the_run(service: Service) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1/query"
    assert await service.audit(nowhere) == (True, UNREACHED)
    assert (await service.audit())[1].startswith(UNREACHED)
    service.now += timedelta(hours=1)
    service.broken = True
    assert await service.audit() == (True, UNREACHED)
    service.broken = False
    assert (await service.audit(refresh=True))[1] == "no known vulnerabilities in 2 packages"


async def test_a_service_that_knows_no_package_counts_as_unreachable(service: Service) -> None:
    service.lock_file.write_text(UNKNOWN)
    assert await service.audit() == (True, UNREACHED)
    service.lock_file.write_text(LOCK_FILE + UNKNOWN)
    expected = "no known vulnerabilities in 2 packages; not known to the service: 1, such as elsewhere"
    assert await service.audit() == (True, expected)


async def test_the_next_service_is_queried_if_one_is_unreachable(service: Service) -> None:
    service.known["leaky"] = [LEAK]
    fine, text = await service.audit(f"http://127.0.0.1:{free_port()}/v1/query", service.url)
    assert not fine
    assert "OSV-2026-1" in text


async def test_a_lock_file_that_cannot_be_read_fails(service: Service) -> None:
    service.lock_file.write_text("leaky==2.0\n")
    fine, text = await service.audit()
    assert not fine
    assert "hash" in text
    assert not service.memory.exists()


async def test_a_corrupt_cache_is_ignored(service: Service) -> None:
    service.memory.parent.mkdir()
    service.memory.write_text("{")
    assert (await service.audit())[1] == "no known vulnerabilities in 2 packages"
