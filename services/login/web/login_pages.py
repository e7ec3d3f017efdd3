"""The page of each login state.

Each page's handler checks it first, so reload, back and a second tab are safe everywhere.
"""

from datetime import datetime
from typing import Final

from services.login.domain.account import Account
from services.login.domain.expire import expire
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState

SIGN_IN: Final = "/sign-in"
ENROL: Final = "/enrol"
ENROL_SEND: Final = "/enrol/send"
CONNECT: Final = "/connect"
PAIR: Final = "/pair"
PAIR_WAIT: Final = "/pair/wait"
PAIR_DONE: Final = "/pair/done"
SEND: Final = "/send"
WAIT: Final = "/wait"
CHALLENGE: Final = "/challenge"
CANCEL: Final = "/cancel"
SIGN_OUT: Final = "/sign-out"
EVENTS: Final = "/events"
CODE: Final = "/code"
COMPLETE: Final = "/complete"
ENDED: Final = "/ended"
ACCOUNT: Final = "/account"
CONFIRM: Final = "/account/confirm"
PHONES: Final = "/account/phones"
METHODS_CHOOSE: Final = "/account/methods/choose"
METHODS_RENAME: Final = "/account/methods/rename"
METHODS_REMOVE: Final = "/account/methods/remove"
SESSIONS_REVOKE: Final = "/account/sessions/revoke"
BROWSERS_FORGET: Final = "/account/browsers/forget"
APP: Final = "/account/app"
RECOVERY_CODES: Final = "/account/recovery-codes"
PASSWORD: Final = "/account/password"  # noqa: S105 - an address
TO_PASSWORD: Final = "password"  # noqa: S105 - the name of a page
"""The value of the ``next`` cookie for the page that changes the password."""


def pages_of(account: Account, login: Login, at: datetime) -> tuple[str, ...]:
    """Return the paths of the pages that an expired login may show; other requests are redirected to the first."""
    if login.state is LoginState.PAIRING:
        return (PAIR_WAIT,) if login.waits_for_phone(at) else (PAIR, CONNECT)
    if login.state is LoginState.READY:
        return (SEND, CODE) if account.devices else (CODE,)
    return {
        LoginState.NEEDS_ENROLMENT: (ENROL,),
        LoginState.NEEDS_PHONE: (CONNECT, PAIR),
        LoginState.PAIRED: (PAIR_DONE,),
        LoginState.CHALLENGED: (WAIT, CODE),
        LoginState.APPROVED: (COMPLETE,),
        LoginState.ENDED: (ENDED,),
    }[login.state]


def awaited_moment(account: Account, login: Login) -> datetime:
    """Return when time alone changes the page of an open login."""
    moments = [login.expires_at]
    if login.state is LoginState.PAIRING and login.pairing is not None:
        moments.append(login.pairing.expires_at)
    other = account.open_challenge()
    if other is not None and other.challenge is not None:
        moments.append(other.challenge.expires_at)
    return min(moments)


def shows_other(account: Account, login: Login, page: str) -> bool:
    """Tell whether a login's page shows that the phone has an open challenge of another login."""
    return page == SEND and login.state is LoginState.READY and account.open_challenge() is not None


def pending_challenge_id(login: Login) -> str | None:
    """Return the id of a login's open challenge, also a pairing's, or None."""
    if login.state is LoginState.CHALLENGED and login.challenge is not None:
        return login.challenge.challenge_id
    if login.state is LoginState.PAIRING and login.pairing is not None:
        return login.pairing.pairing_id
    return None


def current_login(account: Account, login_digest: str, at: datetime, limits: Limits) -> tuple[Account, Login] | None:
    """Return an account and the login whose token has a digest, both expired, or None if the login does not exist."""
    if account.removed_at is not None:
        return None
    now = expire(account, at, limits)
    login = now.login_by_digest(login_digest)
    return None if login is None else (now, login)
