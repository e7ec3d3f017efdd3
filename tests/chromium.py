"""The Chromium that tests drive: the one of the system, so that none is fetched."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from playwright.async_api import Browser, async_playwright

INSECURE_HOST: Final = "phone.test"
"""A name of this machine that is neither localhost nor served by https: pages there lack what only secure ones have."""
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1",
)


def executable() -> str:
    """Return where Chromium is: what CHROMIUM names, or else what the search path has."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        text = "These tests need Chromium: install it, or set CHROMIUM to where it is."
        raise RuntimeError(text)
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable(), args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
