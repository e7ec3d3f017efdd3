"""A request's context: the login and the session of its browser, from its cookies and the accounts' rows."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from schemas.base import Browser
from services.common.clock import now
from services.common.rows.view import View
from services.common.web.networks import network_of
from services.common.web.proxies import client_address
from services.login.browsers import browser_name
from services.login.domain.account import Account, Session
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.places import Places
from services.login.web import login_pages
from services.login.web.cookies import LOGIN, SESSION, Cookies
from services.login.web.read_your_writes import remember_version


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The login and the session of the browser that a request comes from.

    Attributes:
        at: The request's time.
        account: The account of this browser's login, expired; None without a login.
        login: The login, over or not.
        session_account: The account of this browser's session; None without a session.
        session: The session.

    """

    at: datetime
    account: Account | None
    login: Login | None
    session_account: Account | None
    session: Session | None

    @property
    def in_progress(self) -> bool:
        """True while this browser's login is open, or is approved and not completed yet."""
        return self.login is not None and self.login.state is not LoginState.ENDED

    @property
    def home(self) -> str:
        """The path of the page that this browser belongs on."""
        if self.account is not None and self.login is not None and (self.in_progress or self.session is None):
            return login_pages.pages_of(self.account, self.login, self.at)[0]
        return login_pages.SIGN_IN if self.session is None else login_pages.ACCOUNT

    @property
    def row(self) -> Account | None:
        """The account that decides which page this browser belongs on; None without login and session."""
        return self.account if self.in_progress or self.session is None else self.session_account


@dataclass(frozen=True, slots=True)
class LoginContext:
    """A request's time, its login, and the login's account, expired; the login is at the requested page."""

    at: datetime
    account: Account
    login: Login


class ContextLoader:
    """Looks up the context of a request."""

    def __init__(
        self, accounts: View[Account], cookies: Cookies, places: Places, limits: Limits, trusted_proxies: int
    ) -> None:
        self._accounts = accounts
        self._cookies = cookies
        self._places = places
        self._limits = limits
        self._trusted_proxies = trusted_proxies

    def load(self, request: web.Request) -> RequestContext:
        """Return a request's context; the response carries the version of the row that it shows."""
        at = now()
        account, login = self._login(request, at)
        session_account, session = self._session(request, at)
        context = RequestContext(at, account, login, session_account, session)
        if context.row is not None:
            remember_version(request, context.row)
        return context

    def browser(self, request: web.Request) -> Browser:
        """Return the request's browser, as the phone shows it."""
        address = client_address(request, self._trusted_proxies)
        return Browser(
            name=browser_name(request.headers.get("User-Agent", ""))[:200],
            address=address,
            place=self._places.find(address)[:200],
        )

    def network(self, request: web.Request) -> str:
        """Return the network that a request comes from, which limits count by."""
        return network_of(client_address(request, self._trusted_proxies))

    def _login(self, request: web.Request, at: datetime) -> tuple[Account | None, Login | None]:
        ticket = self._cookies.read(request, LOGIN)
        account = None if ticket is None else self._accounts.get(ticket.account_id)
        if ticket is None or account is None:
            return None, None
        return login_pages.current_login(account, ticket.digest, at, self._limits) or (None, None)

    def _session(self, request: web.Request, at: datetime) -> tuple[Account | None, Session | None]:
        ticket = self._cookies.read(request, SESSION)
        account = None if ticket is None else self._accounts.get(ticket.account_id)
        session = None if ticket is None or account is None else account.session(ticket.digest, at)
        return (account, session) if session is not None else (None, None)


def require_login_at(context: RequestContext, page: str) -> LoginContext:
    """Return the context's login, which is at a page.

    Raises:
        HTTPSeeOther: To the page that the browser belongs on, if its login is not at this one.

    """
    if context.account is None or context.login is None:
        raise web.HTTPSeeOther(context.home)
    if page not in login_pages.pages_of(context.account, context.login, context.at):
        raise web.HTTPSeeOther(context.home)
    return LoginContext(context.at, context.account, context.login)
