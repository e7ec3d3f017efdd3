"""What time alone does to an account. Expiry needs no timer: whoever reads a row settles it to now first."""

from datetime import datetime, timedelta
from typing import Any, Final

from schemas.base import Browser
from services.login.domain.account import Account
from services.login.domain.history import HistoryEntry, HistoryKind
from services.login.domain.login import EndReason, Login, LoginState
from services.login.domain.push import count_denial

KEPT_AFTER_END: Final = timedelta(minutes=30)
"""How long a login is kept after its end, for its page to tell how it ended."""
MOST_HISTORY: Final = 50


def expire(account: Account, at: datetime) -> Account:
    """Return an account as it stands at a time: what ran out has ended, what is long over is gone."""
    settled = account
    for login in account.logins:
        ended = expire_login(login, at)
        if ended is login:
            continue
        settled = settled.with_login(ended)
        if ended.end_reason is EndReason.NOT_ANSWERED and ended.ended_at is not None:
            settled = count_denial(settled, ended.ended_at)
            settled = with_history(settled, HistoryKind.LOGIN_NOT_ANSWERED, ended.ended_at, login)
    changes = {
        "logins": tuple(
            each for each in settled.logins if each.ended_at is None or at <= each.ended_at + KEPT_AFTER_END
        ),
        "sessions": tuple(each for each in settled.sessions if each.open_at(at)),
        "remembered": tuple(each for each in settled.remembered if at <= each.expires_at),
    }
    return settled.model_copy(update=changes)


def expire_login(login: Login, at: datetime) -> Login:
    """Return a login as it stands at a time."""
    if login.over:
        return login
    if login.state is LoginState.CHALLENGED and login.challenge is not None and at > login.challenge.expires_at:
        return login.ended(EndReason.NOT_ANSWERED, login.challenge.expires_at)
    if at > login.expires_at:
        return login.ended(EndReason.TIMED_OUT, login.expires_at)
    return login


def with_history(  # noqa: PLR0913 - to whom, what, when, and its details
    account: Account,
    what: HistoryKind,
    at: datetime,
    login: Login | None = None,
    *,
    device_name: str = "",
    browser: Browser | None = None,
) -> Account:
    """Return the account with a line added to its history.

    Args:
        account: The account.
        what: What happened.
        at: When.
        login: The login that it is part of, if any: its browser and its phone are told.
        device_name: Name of the phone or app that it is about.
        browser: The browser, where no login tells.

    """
    details: dict[str, Any] = {"browser": browser, "device_name": device_name}
    if login is not None:
        challenged = login.challenge.device_name if login.challenge is not None else ""
        details = {"browser": login.browser, "device_name": device_name or challenged, "method": login.method}
    entry = HistoryEntry(what=what, at=at, **details)
    return account.model_copy(update={"history": (*account.history, entry)[-MOST_HISTORY:]})
