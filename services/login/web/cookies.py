"""The cookies of a browser, and the tokens in them. Only digests of tokens leave this module.

``browser`` names the browser, for the forms' CSRF tokens. ``login`` binds a login to the browser that started it.
``session`` is set once the login is approved; its token follows from the login's under a key that only the service
has, so that any instance can complete the login, again if the answer was lost, and no other browser can.
``remembered`` is set where the person wished so; its token follows from the login's likewise. ``next`` is no secret: it
says which page of the account asked for a confirmation. Whatever else a stranger puts into a cookie is no token, and
leads to no error.
"""

from dataclasses import dataclass
from hmac import compare_digest
from typing import Final

from aiohttp import web

from protocol.encoding import digest, keyed_digest
from services.common.clock import new_token

BROWSER: Final = "countersign_browser"
LOGIN: Final = "countersign_login"
SESSION: Final = "countersign_session"
REMEMBERED: Final = "countersign_remembered"
NEXT: Final = "countersign_next"
TOKEN_CHARACTERS: Final = 43
BROWSER_SECONDS: Final = 400 * 24 * 60 * 60
_CSRF_CONTEXT: Final = b"countersign csrf\x00"
_SESSION_CONTEXT: Final = b"countersign session\x00"
_REMEMBERED_CONTEXT: Final = b"countersign remembered browser\x00"
_SEAL_CONTEXT: Final = b"countersign sealed cookie\x00"


@dataclass(frozen=True, slots=True, repr=False)
class Ticket:
    """What a login's or a session's cookie holds: whose it is, and the secret token."""

    account_id: str
    token: str

    @property
    def digest(self) -> str:
        """SHA-256 of the token: what the account's row knows of it."""
        return digest(self.token.encode())


class Cookies:
    """Reads and writes the cookies."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        """Prepare it.

        Args:
            key: The secret that all instances share.
            secure: True where browsers reach the service by TLS.

        """
        self._key = key
        self._secure = secure

    def browser_token(self, request: web.Request) -> str:
        """Return the browser's own token, a new one if it has none yet."""
        token = request.cookies.get(BROWSER, "")
        return token if _is_token(token) else new_token()

    def csrf_token(self, browser_token: str) -> str:
        """Return the token that this browser's forms carry (OWASP: HMAC-based token pattern)."""
        return keyed_digest(self._key, _CSRF_CONTEXT + browser_token.encode())

    def csrf_holds(self, request: web.Request, given: object) -> bool:
        """Tell whether a form came from a page of ours in this browser."""
        token = request.cookies.get(BROWSER, "")
        if not _is_token(token) or not isinstance(given, str) or not given.isascii():
            return False
        return compare_digest(given, self.csrf_token(token))

    def session_ticket(self, login: Ticket) -> Ticket:
        """Return the session's ticket that a login's ticket turns into once it is approved."""
        return Ticket(login.account_id, keyed_digest(self._key, _SESSION_CONTEXT + login.token.encode()))

    def remembered_ticket(self, login: Ticket) -> Ticket:
        """Return the ticket by which a browser is remembered after a login, if that was wished in it."""
        return Ticket(login.account_id, keyed_digest(self._key, _REMEMBERED_CONTEXT + login.token.encode()))

    def read(self, request: web.Request, name: str) -> Ticket | None:
        """Return the ticket in a cookie, or None."""
        account_id, _, token = request.cookies.get(name, "").rpartition(".")
        return Ticket(account_id, token) if account_id and _is_token(token) else None

    def seal(self, value: str) -> str:
        """Return a value so that no browser can make one up: with its digest under the service's key."""
        return f"{value}.{keyed_digest(self._key, _SEAL_CONTEXT + value.encode())}"

    def unseal(self, sealed: str) -> str | None:
        """Return a value that was sealed, or None."""
        value = sealed.rpartition(".")[0]
        return value if sealed.isascii() and compare_digest(sealed, self.seal(value)) else None

    def write(self, response: web.StreamResponse, name: str, value: str, seconds: int) -> None:
        """Set a cookie."""
        response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="Lax", secure=self._secure, path="/")

    def write_ticket(self, response: web.StreamResponse, name: str, ticket: Ticket, seconds: int) -> None:
        """Set a login's or a session's cookie."""
        self.write(response, name, f"{ticket.account_id}.{ticket.token}", seconds)

    def drop(self, response: web.StreamResponse, name: str) -> None:
        """Remove a cookie."""
        response.del_cookie(name, path="/", httponly=True, samesite="Lax", secure=self._secure)


def _is_token(text: str) -> bool:
    return len(text) == TOKEN_CHARACTERS and text.isascii()
