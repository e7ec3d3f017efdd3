"""The approval of a login, by any method."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.common.throttle import NO_FAILURES
from services.login.domain.account import Account, RememberedBrowser, Session
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginKind, LoginState

MOST_SESSIONS: Final = 20
MOST_REMEMBERED: Final = 10
MOST_KNOWN_BROWSERS: Final = 20


def approve(  # noqa: PLR0913 - an approval's facts
    account: Account, login: Login, method: Method, at: datetime, limits: Limits, *, device_name: str = ""
) -> Account:
    """Return the account with an open login approved: its session is opened, or confirmed.

    The second factor opens and clears all limits. A remembered browser gives none, so it clears only those of passwords
    in known browsers, and is not remembered for longer. ``device_name`` is the phone or app of the history entry, where
    the login has no challenge.
    """
    approved = replace(login, state=LoginState.APPROVED, ended_at=at, method=method)
    done = account.with_login(approved)
    if method is Method.REMEMBERED:
        passwords, sign_ins = replace(done.passwords, known=NO_FAILURES), replace(done.sign_ins, known=NO_FAILURES)
        done = replace(done, passwords=passwords, sign_ins=sign_ins)
    else:
        done = done.with_denials_cleared().with_attempts_cleared()
    if login.kind is not LoginKind.SIGN_IN:
        confirmed = _with_session_confirmed(done, login, at)
        return confirmed.with_history(HistoryKind.CONFIRMED, at, approved, device_name=device_name)
    opened = _with_session_opened(done, approved, at, limits)
    opened = opened.with_history(HistoryKind.SIGNED_IN, at, approved, device_name=device_name)
    known = _with_browser_known(opened, login)
    return known if method is Method.REMEMBERED else _with_browser_remembered(known, login, at, limits)


def _with_session_opened(account: Account, login: Login, at: datetime, limits: Limits) -> Account:
    session = Session(
        session_digest=login.session_digest,
        browser=login.browser,
        started_at=at,
        expires_at=at + limits.session_lifetime,
        idle_until=at + limits.idle_lifetime,
        confirmed_at=None if login.method is Method.REMEMBERED else at,
        method=login.method or Method.PUSH,
    )
    return replace(account, sessions=(*account.sessions, session)[-MOST_SESSIONS:])


def _with_session_confirmed(account: Account, login: Login, at: datetime) -> Account:
    session = account.session(login.session_digest, at)
    return account if session is None else account.with_session(replace(session, confirmed_at=at))


def _with_browser_known(account: Account, login: Login) -> Account:
    if login.browser_digest is None:
        return account
    others = tuple(each for each in account.known_browsers if each != login.browser_digest)
    return replace(account, known_browsers=(*others, login.browser_digest)[-MOST_KNOWN_BROWSERS:])


def _with_browser_remembered(account: Account, login: Login, at: datetime, limits: Limits) -> Account:
    if login.remember_digest is None or not limits.remember_lifetime:
        return account
    browser = RememberedBrowser(
        digest=login.remember_digest, browser=login.browser, since=at, expires_at=at + limits.remember_lifetime
    )
    added = replace(account, remembered=(*account.remembered, browser)[-MOST_REMEMBERED:])
    return added.with_history(HistoryKind.BROWSER_REMEMBERED, at, login)
