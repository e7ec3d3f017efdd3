"""The stacks, the browser and the scenarios of these tests."""

from collections.abc import AsyncIterator, Iterator
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.scenario import Scenario
from tests.e2e.screenshots import Screenshots, clear
from tests.e2e.stacks import SETTINGS, Site, errors_of, played, running
from tests.smtp import PostOffice, a_mail_server

ROUGH: Final = {"fragile"}
"""Stacks on which services may log errors."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Have pytest put the tests of a stack together, so that it is started once."""
    if "site" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("site")
        name = pytest.param(mark.args[0] if mark else "usual", id=pytest.HIDDEN_PARAM)
        metafunc.parametrize("site", [name], indirect=True, scope="package")


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[PostOffice, int]]:
    """Run the stacks' mail server; give what it takes, and its port."""
    with a_mail_server() as running_server:
        yield running_server


@pytest.fixture(scope="session")
def post_office(mail_server: tuple[PostOffice, int]) -> PostOffice:
    """Give what the mail server took."""
    return mail_server[0]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def site(
    request: pytest.FixtureRequest,
    kafka: str,
    tmp_path_factory: pytest.TempPathFactory,
    mail_server: tuple[PostOffice, int],
) -> AsyncIterator[Site]:
    """Run the stack that a test names; one at a time."""
    name: str = request.param
    settings = {**SETTINGS[name], "LOGIN_SMTP_PORT": str(mail_server[1])}
    async with running(kafka, tmp_path_factory.mktemp(name), settings) as site:
        yield site
    assert name in ROUGH or errors_of(site.stack) == []


@pytest.fixture(scope="session")
def cleared(testrun_uid: str) -> None:
    """Make room for this run's pictures."""
    clear(testrun_uid)


@pytest.fixture
def screenshots(cleared: None) -> Iterator[Screenshots]:  # noqa: ARG001 - it has to be clear before
    """Give a test its screenshots, and check at the end that no page on them has a fault."""
    screenshots = Screenshots()
    yield screenshots
    assert screenshots.faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def scenario(site: Site, browser: Browser) -> AsyncIterator[Scenario]:
    """Give a test its scenario on the stack."""
    async with played(site, browser) as scenario:
        yield scenario
