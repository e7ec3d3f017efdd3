"""The stacks, the browser and the scenes of these tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.chromium import chromium
from tests.e2e.album import Album, clear
from tests.e2e.scene import PATIENCE_MILLISECONDS, Scene
from tests.e2e.stacks import CAREFUL, GENEROUS, HASTY, Site, errors_of, played, running
from tests.smtp import PostOffice, a_mail_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all; who plays in it has a context of its own."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Run the stack that most tests share; nothing is stopped there."""
    async with running(kafka, tmp_path_factory.mktemp("stack")) as site:
        yield site
    assert errors_of(site.stack) == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hasty_site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Run a stack on which requests and pauses run out within seconds."""
    async with running(kafka, tmp_path_factory.mktemp("hasty-stack"), HASTY) as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def generous_site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Run a stack whose limits one long test does not reach, and that remembers browsers."""
    async with running(kafka, tmp_path_factory.mktemp("generous-stack"), GENEROUS) as site:
        yield site
    assert errors_of(site.stack) == []


@pytest.fixture(scope="session")
def mail_server() -> Iterator[tuple[PostOffice, int]]:
    """Run the mail server of the careful stack; give what it takes, and its port."""
    with a_mail_server() as running_server:
        yield running_server


@pytest.fixture(scope="session")
def post_office(mail_server: tuple[PostOffice, int]) -> PostOffice:
    """Give what the mail server took."""
    return mail_server[0]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def careful_site(
    kafka: str, tmp_path_factory: pytest.TempPathFactory, mail_server: tuple[PostOffice, int]
) -> AsyncIterator[Site]:
    """Run a stack where the first pairing needs a code by e-mail, or an administrator's where there is no address."""
    settings = {**CAREFUL, "LOGIN_SMTP_PORT": str(mail_server[1])}
    async with running(kafka, tmp_path_factory.mktemp("careful-stack"), settings) as site:
        yield site
    assert errors_of(site.stack) == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fragile_site(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Run a stack whose services may be killed, if they are started again, and multiplied."""
    async with running(kafka, tmp_path_factory.mktemp("fragile-stack")) as site:
        yield site


@pytest.fixture(scope="session")
def shelf(testrun_uid: str) -> None:
    """Make room for this run's pictures."""
    clear(testrun_uid)


@pytest.fixture
def album(shelf: None) -> Iterator[Album]:  # noqa: ARG001 - it has to be clear before
    """Give a test its album, and hold at the end that no page in it has a fault."""
    album = Album()
    yield album
    assert album.faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def scene(site: Site, browser: Browser) -> AsyncIterator[Scene]:
    """Set a scene on the shared stack."""
    async with played(site, browser) as scene:
        yield scene


@pytest_asyncio.fixture(loop_scope="session")
async def hasty_scene(hasty_site: Site, browser: Browser) -> AsyncIterator[Scene]:
    """Set a scene on the stack where time is short."""
    async with played(hasty_site, browser) as scene:
        yield scene


@pytest_asyncio.fixture(loop_scope="session")
async def generous_scene(generous_site: Site, browser: Browser) -> AsyncIterator[Scene]:
    """Set a scene on the stack where limits are far away."""
    async with played(generous_site, browser) as scene:
        yield scene


@pytest_asyncio.fixture(loop_scope="session")
async def careful_scene(careful_site: Site, browser: Browser) -> AsyncIterator[Scene]:
    """Set a scene on the stack where the password alone pairs no phone."""
    async with played(careful_site, browser) as scene:
        yield scene


@pytest_asyncio.fixture(loop_scope="session")
async def fragile_scene(fragile_site: Site, browser: Browser) -> AsyncIterator[Scene]:
    """Set a scene on the stack whose services may be killed."""
    async with played(fragile_site, browser) as scene:
        yield scene
