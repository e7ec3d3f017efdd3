"""A browser for programs: follows redirects, keeps cookies, fills forms in, and waits by server-sent events."""

import asyncio
import json
import re
import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import aiohttp

from lab.testkit.page import Page, PageError, Part

USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PATIENCE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.5
UNAVAILABLE: Final = 503
GATEWAY_ERRORS: Final = frozenset({502, 504})
"""A proxy's answer where the service was gone; what was posted may yet have been taken."""


class TextBrowser:
    """One browser with cookies of its own.

    Attributes:
        url: The login service's URL.
        page: The page that it shows.
        path: The path of that page.
        status: The HTTP status of that page.
        heading: The page's main heading.
        text: The page's whole text.
        patience_seconds: How long it asks again while the service is unavailable (503).

    """

    def __init__(self, url: str) -> None:
        """Prepare it.

        Args:
            url: The login service's URL.

        """
        self.url = url
        self.patience_seconds = PATIENCE_SECONDS
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            headers={"User-Agent": USER_AGENT},
            timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS),
        )
        self.page = Page()
        self.path = ""
        self.status = 0

    async def __aenter__(self) -> Self:
        """Open it."""
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self._session.close()

    @property
    def heading(self) -> str:
        """The page's main heading."""
        return self.page.heading

    @property
    def number(self) -> int | None:
        """The number that is to be entered on the phone, if the page shows one."""
        return next((int(part.text) for part in self.page.parts if part.testid == "number"), None)

    @property
    def events(self) -> str:
        """The path of the event stream of a page that waits; empty if it does not."""
        return self.page.events

    @property
    def text(self) -> str:
        """The page's whole text, white space folded."""
        return self.page.text

    @property
    def cookies(self) -> dict[str, str]:
        """The values of the cookies that it keeps, by name."""
        return {cookie.key: cookie.value for cookie in self._session.cookie_jar}

    async def open(self, path: str) -> Self:
        """Open a page."""
        await self._request("GET", path, {})
        return self

    async def submit(self, path: str, **fields: str) -> Self:
        """Submit a form of the page that is shown, to a path."""
        await self._request("POST", path, {**self.page.hidden, **fields})
        return self

    async def press(self, testid: str, row: str = "", **fields: str) -> Self:
        """Follow a link of the page that is shown, or send the form of a button.

        Args:
            testid: The link's or the button's ``data-testid``.
            row: A text of the row that it is in, where each row has one.
            fields: What is filled in or chosen.

        Raises:
            PageError: If there is no such link or button, if it is disabled, or if the form lacks a field.

        """
        part = self.page.find(testid, row)
        if part.form is None:
            return await self.open(part.attributes["href"])
        missing = fields.keys() - part.form.names
        if missing or "disabled" in part.attributes:
            message = f"{testid!r} cannot be pressed (missing fields: {missing or 'none'}): {self.text}"
            raise PageError(message)
        await self._request("POST", part.form.action, part.form.fields | fields)
        return self

    async def wait(self, timeout_seconds: float = PATIENCE_SECONDS) -> Self:
        """Wait on a waiting page until the service says where to go, and go there.

        Raises:
            PageError: If it does not in time.

        """
        try:
            async with asyncio.timeout(timeout_seconds):
                target = await self._next_page()
        except TimeoutError:
            message = f"still on {self.path} after {timeout_seconds:.0f} s: {self.text}"
            raise PageError(message) from None
        return await self.open(target)

    def has(self, testid: str) -> bool:
        """Return whether the page has a part with a ``data-testid``."""
        return any(part.testid == testid for part in self.page.parts)

    def parts(self, testid: str) -> list[str]:
        """Return the texts of the page's parts with a ``data-testid``."""
        return [part.text for part in self.page.parts if part.testid == testid]

    def part(self, testid: str, row: str = "") -> Part:
        """Return the first part of the page with a ``data-testid``, in a row with a text if one is given.

        Raises:
            PageError: If there is none.

        """
        return self.page.find(testid, row)

    def expect(self, heading: str) -> None:
        """Check the page's main heading.

        Raises:
            PageError: If it is another one.

        """
        if re.sub(r"\s+", " ", self.heading).casefold() != heading.casefold():
            message = f"expected the page {heading!r}, got {self.heading!r} ({self.status}, {self.path}): {self.text}"
            raise PageError(message)

    async def _request(self, method: str, path: str, fields: dict[str, str]) -> None:
        """Request a page; as a person would, again after a pause while the service is unavailable."""
        deadline = time.monotonic() + self.patience_seconds
        while True:
            async with self._session.request(method, f"{self.url}{path}", data=fields or None) as response:
                retries = response.status == UNAVAILABLE or (method == "GET" and response.status in GATEWAY_ERRORS)
                if not retries or time.monotonic() > deadline:
                    await self._show(response)
                    return
            await asyncio.sleep(PAUSE_SECONDS)

    async def _next_page(self) -> str:
        """Read the event stream; as browsers do, connect again where it is cut off."""
        while True:
            with suppress(aiohttp.ClientError):
                target = await self._read_events()
                if target is not None:
                    return target
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read_events(self) -> str | None:
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(f"{self.url}{self.events}", timeout=timeout) as stream:
            name = ""
            async for line in stream.content:
                field, _, value = line.decode().strip().partition(": ")
                name = value if field == "event" else name
                if field == "data" and name == "go":
                    return str(json.loads(value)["to"])
        return None

    async def _show(self, response: aiohttp.ClientResponse) -> None:
        self.page = Page(await response.text())
        self.path = response.url.path
        self.status = response.status
