"""What a login's approval does, by whichever method it came."""

from datetime import datetime
from typing import Final

from services.login.domain.account import Account, RememberedBrowser, Session
from services.login.domain.expire import with_history
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Rules
from services.login.domain.login import Login, LoginKind, LoginState
from services.login.domain.push import clear_denials

MOST_SESSIONS: Final = 20
MOST_REMEMBERED: Final = 10
MOST_KNOWN_BROWSERS: Final = 20


def approve(  # noqa: PLR0913 - who, what, how, when, and by which rules
    account: Account, login: Login, method: Method, at: datetime, rules: Rules, *, device_name: str = ""
) -> Account:
    """Return the account with a login approved: its session is open, or confirmed.

    A remembered browser gives no second factor. So it begins no count of wrong codes or of refusals anew, and prolongs
    its own time by nothing.

    Args:
        account: The account, settled.
        login: The login, not over.
        method: By what.
        at: When.
        rules: How long things last.
        device_name: Name of the phone or app, where no challenge tells.

    """
    approved = login.model_copy(update={"state": LoginState.APPROVED, "ended_at": at, "method": method})
    done = account.with_login(approved)
    if method is not Method.REMEMBERED:
        done = clear_denials(done).model_copy(update={"wrong_codes": 0, "codes_paused_until": None})
    if login.kind is not LoginKind.SIGN_IN:
        return with_history(_confirmed(done, login, at), HistoryKind.CONFIRMED, at, approved, device_name=device_name)
    opened = with_history(
        _opened(done, approved, at, rules), HistoryKind.SIGNED_IN, at, approved, device_name=device_name
    )
    known = _known(opened, login)
    return known if method is Method.REMEMBERED else _remembered(known, login, at, rules)


def _opened(account: Account, login: Login, at: datetime, rules: Rules) -> Account:
    session = Session(
        session_digest=login.session_digest,
        browser=login.browser,
        started_at=at,
        expires_at=at + rules.session_lifetime,
        idle_until=at + rules.idle_lifetime,
        confirmed_at=None if login.method is Method.REMEMBERED else at,
        method=login.method or Method.PUSH,
    )
    return account.model_copy(update={"sessions": (*account.sessions, session)[-MOST_SESSIONS:]})


def _confirmed(account: Account, login: Login, at: datetime) -> Account:
    session = account.session(login.session_digest, at)
    return account if session is None else account.with_session(session.model_copy(update={"confirmed_at": at}))


def _known(account: Account, login: Login) -> Account:
    if login.browser_digest is None:
        return account
    others = tuple(each for each in account.known_browsers if each != login.browser_digest)
    return account.model_copy(update={"known_browsers": (*others, login.browser_digest)[-MOST_KNOWN_BROWSERS:]})


def _remembered(account: Account, login: Login, at: datetime, rules: Rules) -> Account:
    if login.remember_digest is None or not rules.remember_lifetime:
        return account
    browser = RememberedBrowser(
        digest=login.remember_digest, browser=login.browser, since=at, expires_at=at + rules.remember_lifetime
    )
    added = account.model_copy(update={"remembered": (*account.remembered, browser)[-MOST_REMEMBERED:]})
    return with_history(added, HistoryKind.BROWSER_REMEMBERED, at, login)
