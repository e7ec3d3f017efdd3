"""A sign-in that was answered with "It wasn't me"."""

from datetime import datetime

from schemas.login_notices import EmailKind
from services.common.decisions import Decision
from services.login.domain import push
from services.login.domain.account import Account, Reported
from services.login.domain.emails import email_due
from services.login.domain.expire import with_history
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, Login
from services.login.domain.withdrawals import withdrawn


def report(account: Account, login: Login, at: datetime) -> Decision[Account]:
    """Take somebody at their word: somebody else knows the password.

    Every pending login ends, every browser is signed out and forgotten, and no request is sent to the phones until the
    password has been changed.

    Args:
        account: The account, settled.
        login: The login whose request was reported; it may be over.
        at: When.

    """
    others = tuple(each for each in account.logins if each is not login)
    ended = account.with_ended((login,), EndReason.REPORTED, at)
    ended = ended.with_ended(others, EndReason.REPORTED_ELSEWHERE, at)
    told = with_history(ended, HistoryKind.LOGIN_REPORTED, at, login)
    locked = push.locked(told, Reported(browser=login.browser, started_at=login.started_at, at=at))
    closed = locked.model_copy(update={"sessions": (), "remembered": ()})
    mail = email_due(account, EmailKind.SIGN_IN_REPORTED, at, login.browser)
    return Decision(with_history(closed, HistoryKind.PUSH_LOCKED, at), (*withdrawn(others, at), *mail))
