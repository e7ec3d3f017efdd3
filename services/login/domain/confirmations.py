"""Logins within a session: the second factor given again, and a further phone paired."""

from schemas.login_sessions import AddPhone, Confirm
from services.common.decisions import Decision
from services.login.domain.account import Account
from services.login.domain.expire import expire
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import Login, LoginKind, LoginState
from services.login.domain.pairing import MOST_PHONES
from services.login.domain.sessions import confirmed_session
from services.login.domain.sign_in import begin
from services.login.domain.withdrawals import withdrawn


def decide_confirmation(account: Account, command: Confirm, rules: Rules) -> Decision[Account]:
    """Ask for the second factor again, in a login that is for this session alone."""
    settled = expire(account, command.at)
    session = settled.session(command.session_digest, command.at)
    if session is None or not settled.enrolled:
        return Decision(settled, outcome=Rejection.NO_SESSION)
    if settled.login(command.login_id) is not None:
        return Decision(settled)
    return _begin(settled, command, LoginKind.CONFIRM, LoginState.READY, rules)


def decide_further_phone(account: Account, command: AddPhone, rules: Rules) -> Decision[Account]:
    """Let a confirmed session pair a further phone."""
    settled = expire(account, command.at)
    session = confirmed_session(settled, command, rules)
    if isinstance(session, Rejection):
        return Decision(settled, outcome=session)
    if settled.login(command.login_id) is not None:
        return Decision(settled)
    if len(settled.devices) >= MOST_PHONES:
        return Decision(settled, outcome=Rejection.TOO_MANY_METHODS)
    return _begin(settled, command, LoginKind.ADD_PHONE, LoginState.NEEDS_PHONE, rules)


def _begin(
    account: Account, command: Confirm | AddPhone, kind: LoginKind, state: LoginState, rules: Rules
) -> Decision[Account]:
    login = Login(
        login_id=command.login_id,
        login_digest=command.login_digest,
        session_digest=command.session_digest,
        browser=command.browser,
        kind=kind,
        state=state,
        started_at=command.at,
        expires_at=command.at + rules.login_lifetime,
    )
    begun, leaving = begin(account, login)
    return Decision(begun, withdrawn(leaving, command.at))
