"""The Chromium that tests drive: one of the system, so that none is fetched."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.network_lock import network_lock
from tests.polling import DEADLINE_SECONDS

PATIENCE_MILLISECONDS: Final = DEADLINE_SECONDS * 1000 / 2
"""How long a page may take; shorter than what waits for several of its changes."""
INSECURE_HOST: Final = "phone.test"
"""A name of this machine that is neither localhost nor served by https: pages there lack what only secure ones have."""
FEATURES_OFF: Final = (
    # A new frame for each page costs a fifth of what a page costs.
    "RenderDocument",
    # These Playwright turns off as well; Chromium heeds the last such option alone.
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "MediaRouter",
    "OptimizationHints",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
)
ARGUMENTS: Final = (
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
)


SHELL: Final = "chromium-headless-shell"
"""Chromium without what only a person at it needs: takes half of the CPU, and knows no notifications."""


def executable(*, shell: bool) -> str:
    """Return where Chromium is: what CHROMIUM names, or else what the search path has.

    Args:
        shell: Whether the headless shell will do.

    """
    names = (SHELL, "chromium", "chromium-browser") if shell else ("chromium", "chromium-browser")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        text = "These tests need Chromium: install it, or set CHROMIUM to where it is."
        raise RuntimeError(text)
    return found


async def forgo_service_worker(context: BrowserContext) -> None:
    """Have a browser's pages find no service workers, as in a private window.

    At its first visit the worker fetches every file of the phone's app once more, in a process of its own.
    """
    await context.add_init_script("delete Navigator.prototype.serviceWorker")


@pytest.fixture(scope="module")
def stable_network() -> Iterator[None]:
    """Keep the machine's networks unchanged during a module's tests in a browser."""
    with network_lock():
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_browser() -> AsyncIterator[Browser]:
    """Run one Chromium for all tests."""
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def browser(session_browser: Browser, stable_network: None) -> Browser:  # noqa: ARG001 - held while it is used
    """Give Chromium to a module's tests; each opens a context of its own."""
    return session_browser


@asynccontextmanager
async def chromium(*, shell: bool = True) -> AsyncIterator[Browser]:
    """Run a headless Chromium.

    Args:
        shell: Whether the headless shell will do.

    """
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(shell=shell), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
