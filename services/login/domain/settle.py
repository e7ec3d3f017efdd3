"""What time alone does to an account. Expiry needs no timer: whoever reads a row settles it to now first."""

from datetime import datetime, timedelta
from typing import Final

from services.login.domain.rows import Account, EndReason, Happening, HistoryEntry, Login, LoginState

KEPT_AFTER_END: Final = timedelta(minutes=30)
"""How long a login is kept after its end, for its page to tell how it ended."""
MOST_HISTORY: Final = 50


def settle(account: Account, at: datetime) -> Account:
    """Return an account as it stands at a time: what ran out has ended, what is long over is gone."""
    settled = account
    for login in account.logins:
        ended = settle_login(login, at)
        if ended is login:
            continue
        settled = settled.with_login(ended)
        if ended.end_reason is EndReason.NOT_ANSWERED and ended.ended_at is not None:
            settled = tell(settled, Happening.LOGIN_NOT_ANSWERED, ended.ended_at, login)
    logins = tuple(each for each in settled.logins if each.ended_at is None or at <= each.ended_at + KEPT_AFTER_END)
    sessions = tuple(each for each in settled.sessions if at <= each.expires_at)
    return settled.model_copy(update={"logins": logins, "sessions": sessions})


def settle_login(login: Login, at: datetime) -> Login:
    """Return a login as it stands at a time."""
    if login.over:
        return login
    if login.state is LoginState.PROMPTED and login.prompt is not None and at > login.prompt.expires_at:
        return login.ended(EndReason.NOT_ANSWERED, login.prompt.expires_at)
    if at > login.expires_at:
        return login.ended(EndReason.TIMED_OUT, login.expires_at)
    return login


def tell(account: Account, what: Happening, at: datetime, login: Login | None = None, device_name: str = "") -> Account:
    """Return the account with a line added to its history."""
    prompted = login.prompt.device_name if login is not None and login.prompt is not None else ""
    entry = HistoryEntry(
        what=what, at=at, browser=None if login is None else login.browser, device_name=device_name or prompted
    )
    return account.model_copy(update={"history": (*account.history, entry)[-MOST_HISTORY:]})
