"""A request's context: the login and the session of its browser, by its cookies and the accounts as they stand now."""

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from schemas.base import Browser
from services.common.clock import now
from services.common.rows.view import View
from services.common.web.web import client_address
from services.login.domain.account import Account, Session
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.names import browser_name
from services.login.places import Places
from services.login.web import login_pages
from services.login.web.cookies import LOGIN, SESSION, Cookies
from services.login.web.read_your_writes import remember_version


@dataclass(frozen=True, slots=True)
class RequestContext:
    """The login and the session of the browser that a request comes from.

    Attributes:
        at: When.
        account: The account of the login that waits in this browser, expired; None if none does.
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
    """The login of a request to a page that this login is at.

    Attributes:
        at: When.
        account: The login's account, expired.
        login: The login.

    """

    at: datetime
    account: Account
    login: Login


class ContextLoader:
    """Looks up the contexts of one instance's requests."""

    def __init__(
        self, accounts: View[Account], cookies: Cookies, places: Places, limits: Limits, trusted_proxies: int
    ) -> None:
        self._accounts = accounts
        self._cookies = cookies
        self._places = places
        self._limits = limits
        self._trusted_proxies = trusted_proxies

    def load(self, request: web.Request) -> RequestContext:
        """Return a request's context; the answer will tell the browser how new the row is that it was made from."""
        at = now()
        account, login = self._login(request, at)
        session_account, session = self._session(request, at)
        context = RequestContext(at, account, login, session_account, session)
        if context.row is not None:
            remember_version(request, context.row)
        return context

    def browser(self, request: web.Request) -> Browser:
        """Return the browser that asks, as the person on the phone sees it."""
        address = client_address(request, self._trusted_proxies)
        return Browser(
            name=browser_name(request.headers.get("User-Agent", ""))[:200],
            address=address,
            place=self._places.of(address)[:200],
        )

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
    """Return the login of a browser that is at a page.

    Raises:
        HTTPSeeOther: To where the browser belongs, if its login is not at that page.

    """
    if context.account is None or context.login is None:
        raise web.HTTPSeeOther(context.home)
    if page not in login_pages.pages_of(context.account, context.login, context.at):
        raise web.HTTPSeeOther(context.home)
    return LoginContext(context.at, context.account, context.login)
