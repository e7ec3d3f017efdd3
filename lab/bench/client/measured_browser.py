"""A text browser that notes when it is signed in, counts its requests, and spends little on pages that it knows."""

import re
import time
from types import SimpleNamespace
from typing import Final

import aiohttp

from lab.testkit.page import Page
from lab.testkit.text_browser import TextBrowser

SESSION_COOKIE: Final = "countersign_session"
KNOWN_PAGES: Final = frozenset({"/sign-in", "/wait", "/account"})
"""A sign-in's pages. Reading them as a whole would take a third of what the client needs for a sign-in."""
_USED: Final = re.compile(
    r'<input type="hidden"[^>]*>|<\w+[^>]* data-events=[^>]*>|<(\w+)[^>]* data-testid="number"[^>]*>[^<]*</\1>'
)
"""What a sign-in uses of its pages: hidden fields, the event stream's path, the number."""
_OK: Final = 200


class MeasuredBrowser(TextBrowser):
    """One browser with cookies of its own.

    Attributes:
        requests: How many HTTP requests it sent.
        signed_in_at: When the session's cookie came (time.monotonic); 0 before that.

    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.requests = 0
        self.signed_in_at = 0.0
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._note_request)
        trace.on_request_redirect.append(self._note_redirect)
        trace.on_request_end.append(self._note_end)
        trace.freeze()
        self._session.trace_configs.append(trace)

    async def _note_request(self, *_: object) -> None:
        self.requests += 1

    async def _note_redirect(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, redirect: aiohttp.TraceRequestRedirectParams
    ) -> None:
        self.requests += 1
        self._look_at(redirect.response)

    async def _note_end(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, end: aiohttp.TraceRequestEndParams
    ) -> None:
        self._look_at(end.response)

    def _look_at(self, response: aiohttp.ClientResponse) -> None:
        if not self.signed_in_at and SESSION_COOKIE in response.cookies:
            self.signed_in_at = time.monotonic()

    async def _show(self, response: aiohttp.ClientResponse) -> None:
        if response.status != _OK or response.url.path not in KNOWN_PAGES:
            await super()._show(response)
            return
        self.page = read_known_page(await response.text())
        self.path, self.status = response.url.path, response.status


def read_known_page(content: str) -> Page:
    """Return a page that has only what a sign-in uses."""
    return Page("".join(found[0] for found in _USED.finditer(content)))
