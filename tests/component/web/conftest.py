"""The services on a stage, and a phone's browser."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.chromium import PATIENCE_MILLISECONDS, chromium
from tests.component.web.stage import Stage, stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One browser for all tests here; each has a context of its own."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def services() -> AsyncIterator[Stage]:
    """The services and the app."""
    async with stage() as services:
        yield services


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, services: Stage) -> AsyncIterator[BrowserContext]:
    """A phone's browser that was never at the app, and that is gone before the services are."""
    context = await browser.new_context(base_url=services.origin, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    await context.close()
