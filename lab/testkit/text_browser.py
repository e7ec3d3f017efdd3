"""A browser for programs: follows redirects, keeps cookies, fills forms in, and waits by server-sent events."""

import asyncio
import json
import re
import time
from contextlib import suppress
from html.parser import HTMLParser
from types import TracebackType
from typing import Final, Self

import aiohttp

USER_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PATIENCE_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 0.5
UNAVAILABLE: Final = 503
GATEWAY_ERRORS: Final = frozenset({502, 504})
"""A proxy's answer where the service was gone; what was posted may yet have been taken."""


class PageError(Exception):
    """Another page than the expected one. The text has what the page reads."""


class _Page(HTMLParser):
    """What a program reads from a page: its main heading, its text, its forms' hidden fields, its event stream."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self.words: list[str] = []
        self.hidden: dict[str, str] = {}
        self.events = ""
        self.number: int | None = None
        self._in_number = False
        self._path: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element, and note a form's hidden field, or that the number comes."""
        fields = dict(attrs)
        if tag == "input" and fields.get("type") == "hidden":
            self.hidden[fields.get("name") or ""] = fields.get("value") or ""
        self.events = fields.get("data-events") or self.events
        self._in_number = fields.get("data-testid") == "number"
        self._path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and those in it that have no end tag."""
        if tag in self._path:
            del self._path[len(self._path) - 1 - self._path[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        """Note text that a person reads."""
        text = " ".join(data.split())
        if not text or {"script", "style", "title", "noscript"} & set(self._path):
            return
        if self._in_number:
            self.number = int(text)
        if "h1" in self._path:
            self.heading = f"{self.heading} {text}".strip()
        self.words.append(text)


class TextBrowser:
    """One browser with cookies of its own.

    Attributes:
        url: The login service's URL.
        path: The path of the page that it shows.
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
        self._page = _Page()
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
        return self._page.heading

    @property
    def number(self) -> int | None:
        """The number that is to be entered on the phone, if the page shows one."""
        return self._page.number

    @property
    def events(self) -> str:
        """The path of the event stream of a page that waits; empty if it does not."""
        return self._page.events

    @property
    def text(self) -> str:
        """The page's whole text, white space folded."""
        return " ".join(self._page.words)

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
        await self._request("POST", path, {**self._page.hidden, **fields})
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
        self._page = _Page()
        self._page.feed(await response.text())
        self.path = response.url.path
        self.status = response.status
