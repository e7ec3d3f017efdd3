"""The cookies of a browser, and the tokens in them. Only digests of tokens leave the web side.

- ``browser`` identifies the browser, for the forms' CSRF tokens.
- ``login`` binds a login to the browser that started it.
- ``session`` is set once the login is approved. Its token is derived from the login's token under a key of the service
  (docs/adr/0004-session-follows-from-login.md): any instance can complete the login, again if the response was lost,
  and no other browser can.
- ``remembered`` is set if the person chose so; its token is derived likewise.
- ``next`` is no secret: it names the page of the account that asked for a confirmation.

A cookie with any other content counts as absent.
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
    """The content of a login's or a session's cookie: the account, and the secret token."""

    account_id: str
    token: str

    @property
    def digest(self) -> str:
        """SHA-256 of the token, which the account's row holds."""
        return digest(self.token.encode())


class Cookies:
    """Reads and writes the cookies."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        """Take the key.

        Args:
            key: The secret that all instances share.
            secure: True if browsers reach the service by TLS.

        """
        self._key = key
        self._secure = secure

    def browser_token(self, request: web.Request) -> str:
        """Return the browser's token, or a new one."""
        token = request.cookies.get(BROWSER, "")
        return token if _is_token(token) else new_token()

    def csrf_token(self, browser_token: str) -> str:
        """Return the CSRF token of this browser's forms (OWASP: HMAC-based token pattern)."""
        return keyed_digest(self._key, _CSRF_CONTEXT + browser_token.encode())

    def csrf_holds(self, request: web.Request, given: object) -> bool:
        """Tell whether a form's CSRF token is this browser's."""
        token = request.cookies.get(BROWSER, "")
        if not _is_token(token) or not isinstance(given, str) or not given.isascii():
            return False
        return compare_digest(given, self.csrf_token(token))

    def session_ticket(self, login: Ticket) -> Ticket:
        """Return the ticket of the session that an approved login opens."""
        return Ticket(login.account_id, keyed_digest(self._key, _SESSION_CONTEXT + login.token.encode()))

    def remembered_ticket(self, login: Ticket) -> Ticket:
        """Return the ticket that remembers the browser of a login."""
        return Ticket(login.account_id, keyed_digest(self._key, _REMEMBERED_CONTEXT + login.token.encode()))

    def read(self, request: web.Request, name: str) -> Ticket | None:
        """Return the ticket in a cookie, or None."""
        account_id, _, token = request.cookies.get(name, "").rpartition(".")
        return Ticket(account_id, token) if account_id and _is_token(token) else None

    def seal(self, value: str) -> str:
        """Return a value with its HMAC under the service's key, so that browsers cannot forge one."""
        return f"{value}.{keyed_digest(self._key, _SEAL_CONTEXT + value.encode())}"

    def unseal(self, sealed: str) -> str | None:
        """Return a sealed value, or None if the seal does not hold."""
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
