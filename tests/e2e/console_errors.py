"""What browsers complain of while a test runs: in the console, in scripts, and by the page policy."""

import re
from typing import Final

from playwright.async_api import BrowserContext, ConsoleMessage, WebError

REFUSED_FORM: Final = r"Failed to load resource: the server responded with a status of (401|409|422|429) "
"""How Chromium notes that a form was reported with its own page again: meant so."""
OUTAGE: Final = r"net::ERR_|status of 503|WebSocket connection to '[^']+' failed"
"""How Chromium notes that a service, or the network, is away."""


class ConsoleErrors:
    """The complaints of all browsers of one test."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._tolerated = [REFUSED_FORM]

    def listen(self, context: BrowserContext, who: str) -> None:
        """Hear what a browser complains of, in all its pages."""

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
