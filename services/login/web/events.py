"""Server-sent events for the waiting pages (WHATWG HTML section 9.2, by aiohttp-sse).

``go`` names the next page; ``delivery`` says whether the notification has reached the phone.
"""

import asyncio
import json
from datetime import datetime
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from services.common.clock import now
from services.common.fair_places import FairPlaces
from services.common.kafka.publisher import UnavailableError
from services.common.rows.view import View
from services.login.domain.account import Account
from services.login.domain.limits import Limits
from services.login.domain.login import Login
from services.login.web.cookies import LOGIN, Cookies, Ticket
from services.login.web.login_pages import (
    SIGN_IN,
    awaited_moment,
    current_login,
    pages_of,
    pending_challenge_id,
    shows_other,
)
from services.login.web.receipts import Receipts

LONGEST_SECONDS: Final = 30 * 60
MOST_OF_A_LOGIN: Final = 5
LATER_MILLISECONDS: Final = 60_000
"""When a page connects again whose stream made room for another one; so six windows do not push each other out."""
PING_SECONDS: Final = 15.0
"""A ping finds a browser that has gone; until then its stream counts as open."""
MARGIN_SECONDS: Final = 0.05
"""Added to a wait, so that the clock is past the moment when the wait ends."""


class Events:
    """The open event streams of one instance."""

    def __init__(
        self, accounts: View[Account], receipts: Receipts, cookies: Cookies, limits: Limits, most_streams: int
    ) -> None:
        self._accounts = accounts
        self._receipts = receipts
        self._cookies = cookies
        self._limits = limits
        self._most_streams = most_streams
        self._streams = FairPlaces[asyncio.Task[None]](most_streams, MOST_OF_A_LOGIN)

    @property
    def count(self) -> int:
        """The number of open streams."""
        return self._streams.count

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Stream to one waiting page until its login leaves the page."""
        ticket = self._cookies.read(request, LOGIN)
        if ticket is not None:
            if self.count >= self._most_streams and not self._streams.count_of(ticket.digest):
                raise UnavailableError
            self._accounts.get(ticket.account_id)  # raises UnavailableError before the stream opens
        async with sse_response(request, ping_interval=PING_SECONDS) as stream:
            if ticket is None:
                await _send(stream, "go", {"to": SIGN_IN})
            else:
                await self._serve_login(stream, ticket, (request.query.get("at", ""), "other" in request.query))
        return stream

    async def close_all(self, _application: web.Application) -> None:
        """End every stream; the pages connect to another instance."""
        while (task := self._streams.take_from_crowd()) is not None:
            task.cancel()

    async def _serve_login(self, stream: EventSourceResponse, ticket: Ticket, shown: tuple[str, bool]) -> None:
        """Stream to a login's page. If too many are open, the oldest of the login leaves."""
        task = asyncio.create_task(self._stream(stream, ticket, shown))
        gone = asyncio.create_task(stream.wait())
        leaving = self._streams.add(ticket.digest, task)
        if leaving is not None:
            leaving.cancel()
        try:
            await asyncio.wait({task, gone}, timeout=LONGEST_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if task.cancelled():
                await stream.send("", event="later", retry=LATER_MILLISECONDS)
            elif task.done():
                task.result()
        except (ConnectionError, asyncio.CancelledError):
            pass  # the browser left, or this instance stops
        finally:
            task.cancel()
            gone.cancel()
            self._streams.remove(ticket.digest, task)

    async def _stream(self, stream: EventSourceResponse, ticket: Ticket, shown: tuple[str, bool]) -> None:
        with self._accounts.watch(ticket.account_id) as changed:
            await self._follow(stream, ticket, shown, changed)

    async def _follow(
        self, stream: EventSourceResponse, ticket: Ticket, shown: tuple[str, bool], changed: asyncio.Event
    ) -> None:
        delivery = ""
        while True:
            changed.clear()
            found = self._find(ticket)
            if found is None:
                await _send(stream, "go", {"to": SIGN_IN})
                return
            account, login = found
            pages = pages_of(account, login, now())
            if shown not in {(page, shows_other(account, login, page)) for page in pages}:
                await _send(stream, "go", {"to": pages[0]})
                return
            with self._receipts.watch(pending_challenge_id(login) or "", changed):
                delivery = await self._send_delivery(stream, login, delivery)
                await _wait(changed, awaited_moment(account, login))

    def _find(self, ticket: Ticket) -> tuple[Account, Login] | None:
        account = self._accounts.get(ticket.account_id)
        return None if account is None else current_login(account, ticket.digest, now(), self._limits)

    async def _send_delivery(self, stream: EventSourceResponse, login: Login, sent: str) -> str:
        receipt = self._receipts.get(pending_challenge_id(login) or "")
        if receipt is None or receipt.delivery == sent:
            return sent
        await _send(stream, "delivery", {"delivery": receipt.delivery, "device_name": receipt.device_name})
        return receipt.delivery


async def _wait(changed: asyncio.Event, until: datetime) -> None:
    seconds = (until - now()).total_seconds() + MARGIN_SECONDS
    try:
        async with asyncio.timeout(max(seconds, MARGIN_SECONDS)):
            await changed.wait()
    except TimeoutError:
        return


async def _send(stream: EventSourceResponse, name: str, data: dict[str, str]) -> None:
    await stream.send(json.dumps(data), event=name)
