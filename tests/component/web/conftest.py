"""The services on a stage, and a phone's browser."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.chromium import PATIENCE_MILLISECONDS, forgo_service_worker
from tests.component.web.stage import Stage, stage


@pytest_asyncio.fixture(loop_scope="session")
async def services() -> AsyncIterator[Stage]:
    """The services and the app."""
    async with stage() as services:
        yield services


@pytest_asyncio.fixture(loop_scope="session")
async def keeping(browser: Browser, services: Stage) -> AsyncIterator[BrowserContext]:
    """A phone's browser that was never at the app, and will keep it for offline use; it is gone before the services."""
    context = await browser.new_context(base_url=services.origin, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(keeping: BrowserContext) -> BrowserContext:
    """A phone's browser that was never at the app, and will not keep it."""
    await forgo_service_worker(keeping)
    return keeping
