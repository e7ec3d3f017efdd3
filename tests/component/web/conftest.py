"""Fixtures: fake services, and a phone's browser."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from tests.chromium import PATIENCE_MILLISECONDS, forgo_service_worker
from tests.component.web.stage import Stage, a_paired_phone, stage


@pytest_asyncio.fixture(loop_scope="session")
async def services() -> AsyncIterator[Stage]:
    """The services and the app."""
    async with stage() as services:
        yield services


@pytest_asyncio.fixture(loop_scope="session")
async def keeping(browser: Browser, services: Stage) -> AsyncIterator[BrowserContext]:
    """Provide a phone's new browser that installs the app's service worker; it closes before the services."""
    context = await browser.new_context(base_url=services.origin, viewport={"width": 390, "height": 844})
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(keeping: BrowserContext) -> BrowserContext:
    """Provide a phone's new browser without service workers."""
    await forgo_service_worker(keeping)
    return keeping


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext, services: Stage) -> Page:
    """Provide the app of a paired phone."""
    return await a_paired_phone(context, services)
