"""Never behind what was seen, at whatever instance: a browser brings along how new a row it has seen.

Each instance's view follows the owners' decisions on its own, a few milliseconds behind. Without this, a browser that
posts to one instance, or sees there that the phone approved, and is led to a page of another could be taken for a
stranger there. So each answer that a row decided tells the browser how new that row was. What it brings is sealed, so
that nobody learns from how long a made-up one is waited for whether an account exists.
"""

from typing import Final

from aiohttp import web

from services.common.kafka.publisher import UnavailableError
from services.common.rows.view import View
from services.common.web.watching import Handler
from services.login.domain.account import Account
from services.login.web.cookies import Cookies

SEEN: Final = "countersign_seen"
SEEN_SECONDS: Final = 60
PATIENCE_SECONDS: Final = 2.0
_NOTED: Final = "countersign.seen"
Seen = tuple[str, int, int]
"""An account's id, and the stamp (epoch, version) of its row."""


class ReadYourWrites:
    """Lets a request wait until this instance has seen what its browser has seen."""

    def __init__(self, accounts: View[Account], cookies: Cookies) -> None:
        self._accounts = accounts
        self._cookies = cookies

    def install(self, application: web.Application) -> None:
        """Serve an application's requests in this way."""
        application.middlewares.append(self._serve)

    @web.middleware
    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        await self._wait(request)
        try:
            answer = await handler(request)
        except web.HTTPException as redirection:
            self._tell(request, redirection)
            raise
        self._tell(request, answer)
        return answer

    async def _wait(self, request: web.Request) -> None:
        seen = read_seen(self._cookies.unseal(request.cookies.get(SEEN, "")) or "")
        if seen is not None and not request.path.startswith("/static/"):
            account_id, *stamp = seen
            row = await self._accounts.wait_until(
                account_id, lambda row: [row.epoch, row.version] >= stamp, PATIENCE_SECONDS
            )
            if row is None:
                raise UnavailableError

    def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        account = request.get(_NOTED)
        if account is not None:
            self._cookies.write(response, SEEN, self._cookies.seal(seen_value(account)), SEEN_SECONDS)


def remember_version(request: web.Request, account: Account) -> None:
    """Have the answer to a request tell its browser how new a row it has seen."""
    request[_NOTED] = account


def seen_value(account: Account) -> str:
    """Return what a browser keeps of a row that it has seen."""
    return f"{account.account_id}.{account.epoch}-{account.version}"


def read_seen(value: str) -> Seen | None:
    """Return what a browser has seen, or None if it says nothing that makes sense."""
    account_id, _, stamp = value.rpartition(".")
    epoch, _, version = stamp.partition("-")
    digits = epoch + version
    if not account_id or not epoch or not version or not (digits.isascii() and digits.isdigit()) or len(digits) > 30:  # noqa: PLR2004 - longer than any stamp
        return None
    return account_id, int(epoch), int(version)
