"""The console errors of browsers while a test runs: of pages, scripts and the page policy."""

import re
from typing import Final

from playwright.async_api import BrowserContext, ConsoleMessage, WebError

REFUSED_FORM: Final = r"Failed to load resource: the server responded with a status of (401|409|422|429) "
"""How Chromium notes that a form was answered with its own page again, as it must be."""
OUTAGE: Final = r"net::ERR_|status of 503|WebSocket connection to '[^']+' failed"
"""How Chromium notes that a service, or the network, is away."""


class ConsoleErrors:
    """The console errors of all browsers of one test."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._tolerated = [REFUSED_FORM]

    def listen(self, context: BrowserContext, who: str) -> None:
        """Note the errors of all pages of a browser."""

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self._heard.append(f"{who}: {message.text} ({message.location['url']})")

        def on_error(error: WebError) -> None:
            self._heard.append(f"{who}: {error.error}")

        context.on("console", on_console)
        context.on("weberror", on_error)

    def tolerate(self, pattern: str) -> None:
        """Let pass what matches a regular expression, for the rest of the test."""
        self._tolerated.append(pattern)

    def unexpected(self) -> list[str]:
        """Return what is left to explain."""
        return [each for each in self._heard if not any(re.search(pattern, each) for pattern in self._tolerated)]
