"""Read-your-writes consistency over all instances: a cookie carries the version of the row that a browser saw last.

Each instance's view lags a few milliseconds behind the owners' decisions. A browser that is redirected to another
instance could find an older row there, and lose its login. So each response sets a cookie with the version of the row
that it shows, and a request waits until the view has that version (docs/adr/0009-read-your-own-writes.md). The cookie
is sealed: a forged one would show by the length of the wait whether an account exists.
"""

from typing import Final

from aiohttp import web

from services.common.kafka.publisher import UnavailableError
from services.common.rows.view import View
from services.common.web.watching import Handler
from services.login.domain.account import Account
from services.login.web.cookies import Cookies

VERSION: Final = "countersign_version"
VERSION_SECONDS: Final = 60
LONGEST_WAIT_SECONDS: Final = 2.0
VERSION_DIGITS: Final = 15
_ACCOUNT: Final = "countersign.account"
RowVersion = tuple[str, int]
"""An account's id, and the version of its row."""


class ReadYourWrites:
    """A middleware that delays a request until the view has the version in its cookie."""

    def __init__(self, accounts: View[Account], cookies: Cookies) -> None:
        self._accounts = accounts
        self._cookies = cookies

    def install(self, application: web.Application) -> None:
        """Add the middleware to an application."""
        application.middlewares.append(self._serve)

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        await self._wait(request)
        try:
            response = await handler(request)
        except web.HTTPException as redirect:
            self._set_version(request, redirect)
            raise
        self._set_version(request, response)
        return response

    async def _wait(self, request: web.Request) -> None:
        seen = read_version(self._cookies.unseal(request.cookies.get(VERSION, "")) or "")
        if seen is not None and not request.path.startswith("/static/"):
            account_id, version = seen
            row = await self._accounts.wait_until(account_id, lambda row: row.version >= version, LONGEST_WAIT_SECONDS)
            if row is None:
                raise UnavailableError

    def _set_version(self, request: web.Request, response: web.StreamResponse) -> None:
        account = request.get(_ACCOUNT)
        if account is not None:
            self._cookies.write(response, VERSION, self._cookies.seal(version_value(account)), VERSION_SECONDS)


def remember_version(request: web.Request, account: Account) -> None:
    """Let the response to a request set the cookie with an account's version."""
    request[_ACCOUNT] = account


def version_value(account: Account) -> str:
    """Return the cookie's value for a row, unsealed: ``account_id.version``."""
    return f"{account.account_id}.{account.version}"


def read_version(value: str) -> RowVersion | None:
    """Return the version in an unsealed cookie, or None if the value is malformed."""
    account_id, _, version = value.rpartition(".")
    if not account_id or not (version.isascii() and version.isdigit()) or len(version) > VERSION_DIGITS:
        return None
    return account_id, int(version)
