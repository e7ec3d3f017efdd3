"""Expiry of an account's logins, sessions and remembered browsers, computed by each reader of a row without a timer."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from services.login.domain.account import Account
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Limits
from services.login.domain.login import EndReason, Login, LoginState

KEPT_AFTER_END: Final = timedelta(minutes=30)
"""How long a login is kept after its end, for the page that shows how it ended."""


def expire(account: Account, at: datetime, limits: Limits) -> Account:
    """Return an account as it is at a time: expired parts have ended, and old ones are removed.

    A challenge that was not answered counts as a denial, within the limits.
    """
    expired = account
    for login in account.logins:
        ended = expire_login(login, at)
        if ended is login:
            continue
        expired = expired.with_login(ended)
        if ended.end_reason is EndReason.NOT_ANSWERED and ended.ended_at is not None:
            expired = expired.with_denial_counted(ended.ended_at, limits)
            expired = expired.with_history(HistoryKind.LOGIN_NOT_ANSWERED, ended.ended_at, login)
    return replace(
        expired,
        logins=tuple(each for each in expired.logins if each.ended_at is None or at <= each.ended_at + KEPT_AFTER_END),
        sessions=tuple(each for each in expired.sessions if each.open_at(at)),
        remembered=tuple(each for each in expired.remembered if at <= each.expires_at),
    )


def expire_login(login: Login, at: datetime) -> Login:
    """Return a login as it is at a time."""
    if login.over:
        return login
    if login.state is LoginState.CHALLENGED and login.challenge is not None and at > login.challenge.expires_at:
        return login.ended(EndReason.NOT_ANSWERED, login.challenge.expires_at)
    if at > login.expires_at:
        return login.ended(EndReason.TIMED_OUT, login.expires_at)
    return login
