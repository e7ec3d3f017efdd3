"""Who comes: a browser's cookies, held against the accounts as they stand now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from schemas.base import Browser
from services.common.clock import now
from services.common.rows.view import View
from services.common.web.web import client_address
from services.login.domain.account import Account, Session
from services.login.domain.login import Login, LoginKind, LoginState
from services.login.names import browser_name
from services.login.places import Places
from services.login.settings import LoginSettings
from services.login.web import login_pages
from services.login.web.cookies import LOGIN, REMEMBERED, SESSION, Cookies, Ticket
from services.login.web.read_your_writes import remember_version
from services.login.web.receipts import Receipts


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request, seen by its cookies.

    Attributes:
        at: When.
        account: The account of the login that waits in this browser, settled; None if none does.
        login: That login, over or not.
        session_account: The account whose session this browser has; None if it has none.
        session: That session.

    """

    at: datetime
    account: Account | None
    login: Login | None
    session_account: Account | None
    session: Session | None

    @property
    def under_way(self) -> bool:
        """True while a login waits in this browser, or is about to be completed."""
        return self.login is not None and self.login.state is not LoginState.ENDED

    @property
    def home(self) -> str:
        """The page that this browser belongs on."""
        if self.account is not None and self.login is not None and (self.under_way or self.session is None):
            return login_pages.pages_of(self.account, self.login, self.at)[0]
        return login_pages.SIGN_IN if self.session is None else login_pages.ACCOUNT

    @property
    def row(self) -> Account | None:
        """The account by which it is decided where this browser belongs; None for a stranger."""
        return self.account if self.under_way or self.session is None else self.session_account


@dataclass(frozen=True, slots=True)
class LoginContext:
    """A visit to a page that its login is at.

    Attributes:
        at: When.
        account: The login's account, settled.
        login: The login.

    """

    at: datetime
    account: Account
    login: Login


class ContextLoader:
    """Looks visits up, and what their pages need to know."""

    def __init__(
        self, accounts: View[Account], deliveries: Receipts, cookies: Cookies, places: Places, settings: LoginSettings
    ) -> None:
        """Take the parts that it needs."""
        self._accounts = accounts
        self._deliveries = deliveries
        self._cookies = cookies
        self._places = places
        self._trusted_proxies = settings.trusted_proxies
        self._session_seconds = settings.session_seconds

    def ticket(self, request: web.Request, name: str) -> Ticket | None:
        """Return the ticket in a cookie, or None."""
        return self._cookies.read(request, name)

    def of(self, request: web.Request) -> RequestContext:
        """Return the visit that a request makes; its browser will have seen what it was decided by."""
        at = now()
        account, login = self._login(request, at)
        owner, session = self._session(request, at)
        visit = RequestContext(at, account, login, owner, session)
        if visit.row is not None:
            remember_version(request, visit.row)
        return visit

    def browser(self, request: web.Request) -> Browser:
        """Return the browser that asks, as the person on the phone gets to see it."""
        address = client_address(request, self._trusted_proxies)
        return Browser(
            name=browser_name(request.headers.get("User-Agent", ""))[:200],
            address=address,
            place=self._places.of(address)[:200],
        )

    def step(self, request: web.Request, page: str) -> LoginContext:
        """Return the login of a browser that is at a page; lead the browser to where it belongs if it is not there."""
        visit = self.of(request)
        if visit.account is None or visit.login is None:
            raise web.HTTPSeeOther(visit.home)
        if page not in login_pages.pages_of(visit.account, visit.login, visit.at):
            raise web.HTTPSeeOther(visit.home)
        return LoginContext(visit.at, visit.account, visit.login)

    def complete(self, request: web.Request, step: LoginContext, answer: web.StreamResponse) -> None:
        """Exchange the cookie of an approved login for what it was for."""
        ticket = self._cookies.read(request, LOGIN)
        self._cookies.drop(answer, LOGIN)
        if ticket is None or step.login.kind is not LoginKind.SIGN_IN:
            return
        session = self._cookies.session_ticket(ticket)
        self._cookies.write_ticket(answer, SESSION, session, self._session_seconds)
        remembered = self._cookies.remembered_ticket(ticket)
        browser = next((each for each in step.account.remembered if each.digest == remembered.digest), None)
        if browser is not None:
            seconds = max(1, int((browser.expires_at - step.at).total_seconds()))
            self._cookies.write_ticket(answer, REMEMBERED, remembered, seconds)

    def waiting(self, login: Login, at: datetime) -> dict[str, Any]:
        """Return what a page needs that waits for the phone."""
        receipt = self._deliveries.get(login_pages.pending_challenge_id(login) or "")
        asked = login.challenge if login.challenge is not None else login.pairing
        until = login.expires_at if asked is None else asked.expires_at
        return {
            "device_name": (login.challenge.device_name if login.challenge else "")
            or (receipt.device_name if receipt else ""),
            "delivery": receipt.delivery.value if receipt else "sending",
            "expires_at": until.isoformat(),
            "seconds_left": max(0, round((until - at).total_seconds())),
            "browser_name": login.browser.name,
            "address": login.browser.address,
            "place": login.browser.place,
            "kind": login.kind,
        }

    def _login(self, request: web.Request, at: datetime) -> tuple[Account | None, Login | None]:
        ticket = self._cookies.read(request, LOGIN)
        account = None if ticket is None else self._accounts.get(ticket.account_id)
        found = None if ticket is None or account is None else login_pages.current_login(account, ticket.digest, at)
        return found or (None, None)

    def _session(self, request: web.Request, at: datetime) -> tuple[Account | None, Session | None]:
        ticket = self._cookies.read(request, SESSION)
        account = None if ticket is None else self._accounts.get(ticket.account_id)
        session = None if ticket is None or account is None else account.session(ticket.digest, at)
        return (account, session) if session is not None else (None, None)
