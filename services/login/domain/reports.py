"""A sign-in that was answered with "It wasn't me"."""

from datetime import datetime

from schemas.login_notices import NoticeKind
from services.common.decisions import Decision
from services.login.domain import push
from services.login.domain.happenings import Happening
from services.login.domain.logins import EndReason, Login, LoginState
from services.login.domain.notices import notice
from services.login.domain.rows import Account, Reported
from services.login.domain.settle import tell
from services.login.domain.withdrawals import withdrawn_pairings, withdrawn_prompts


def report(account: Account, login: Login, at: datetime) -> Decision[Account]:
    """Take somebody at their word: somebody else knows the password.

    Every pending login ends, every browser is signed out and forgotten, and no request is sent to the phones until the
    password has been changed.

    Args:
        account: The account, settled.
        login: The login whose request was reported; it may be over.
        at: When.

    """
    ended = account
    for each in account.logins:
        if not each.over:
            reason = EndReason.REPORTED if each is login else EndReason.REPORTED_ELSEWHERE
            ended = ended.with_login(each.ended(reason, at))
    told = tell(ended, Happening.LOGIN_REPORTED, at, login)
    locked = push.locked(told, Reported(browser=login.browser, started_at=login.started_at, at=at))
    closed = locked.model_copy(update={"sessions": (), "remembered": ()})
    prompts = () if login.state is LoginState.PROMPTED else withdrawn_prompts(account)
    others = (each for each in account.logins if each is not login)
    mail = notice(account, NoticeKind.SIGN_IN_REPORTED, at, login.browser)
    return Decision(tell(closed, Happening.PUSH_LOCKED, at), (*prompts, *withdrawn_pairings(others, at), *mail))
