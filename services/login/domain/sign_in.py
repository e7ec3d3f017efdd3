"""The password's side of a login: begun, refused for a while, given up."""

from typing import Final

from schemas.login_commands import CancelLogin, FailPassword, SignIn
from services.common.decisions import OK, Decision
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.challenges import challenge_rejection, send_challenge
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Enrolment, Rejection, Rules, failures_in_a_row
from services.login.domain.login import EndReason, Login, LoginKind, LoginState
from services.login.domain.withdrawals import withdrawn

MOST_LOGINS: Final = 8


def decide_sign_in(account: Account, command: SignIn, rules: Rules) -> Decision[Account]:
    """Begin a login, and ask the phone if there is one and it may be asked."""
    settled = expire(account, command.at)
    if settled.login(command.login_id) is not None:
        return Decision(settled)
    if settled.locked_until is not None and command.at < settled.locked_until:
        return Decision(settled, outcome=Rejection.LOCKED)
    if command.password_hash != settled.password_hash:
        return Decision(settled, outcome=Rejection.PASSWORD_CHANGED)
    login, left = _login(settled, command, rules), _left_behind(settled, command)
    begun, leaving = begin(settled.with_ended(left, EndReason.CANCELLED, command.at), login)
    begun = begun.model_copy(update={"wrong_passwords": 0, "locked_until": None})
    taken_back = withdrawn((*left, *leaving), command.at)
    if _remembered(begun, command, rules):
        return Decision(approve(begun, login, Method.REMEMBERED, command.at, rules), taken_back)
    if login.state is not LoginState.READY or challenge_rejection(begun, command.at, rules) is not None:
        return Decision(begun, taken_back)
    asked = send_challenge(begun, login, begun.devices[0], challenge_id=command.login_id, at=command.at, rules=rules)
    return Decision(asked.row, (*taken_back, *asked.events))


def begin(account: Account, login: Login) -> tuple[Account, tuple[Login, ...]]:
    """Return the account with a login more, and which one gave way to it, if one had to."""
    leaving = _leaving(account)
    logins = tuple(each for each in account.logins if each not in leaving)
    return account.model_copy(update={"logins": (*logins, login)}), leaving


def decide_wrong_password(account: Account, command: FailPassword, rules: Rules) -> Decision[Account]:
    """Count a wrong password; from the fifth in a row on, take none for a growing while."""
    settled = expire(account, command.at)
    if settled.locked_until is not None and command.at < settled.locked_until:
        return Decision(settled, outcome=Rejection.LOCKED)
    count = failures_in_a_row(settled.wrong_passwords, settled.wrong_password_at, command.at)
    locked_until = rules.passwords.until(count, command.at)
    told = with_history(settled, HistoryKind.WRONG_PASSWORD, command.at, browser=command.browser)
    if locked_until is not None:
        told = with_history(told, HistoryKind.PAUSED, command.at, browser=command.browser)
    changes = {"wrong_passwords": count, "wrong_password_at": command.at, "locked_until": locked_until}
    return Decision(told.model_copy(update=changes), outcome=Rejection.LOCKED if locked_until else OK)


def decide_cancel(account: Account, command: CancelLogin) -> Decision[Account]:
    """Give a login up; the phone need not answer any more."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled)
    ended = settled.with_ended((login,), EndReason.CANCELLED, command.at)
    return Decision(ended, withdrawn((login,), command.at))


def first_state(account: Account, rules: Rules) -> LoginState:
    """Return where a login of an account begins."""
    if account.enrolled:
        return LoginState.READY
    return LoginState.NEEDS_PHONE if rules.enrolment is Enrolment.NOTHING else LoginState.NEEDS_ENROLMENT


def _login(account: Account, command: SignIn, rules: Rules) -> Login:
    return Login(
        login_id=command.login_id,
        login_digest=command.login_digest,
        session_digest=command.session_digest,
        browser=command.browser,
        browser_digest=command.browser_digest,
        state=first_state(account, rules),
        started_at=command.at,
        expires_at=command.at + rules.login_lifetime,
        remember_digest=command.remember_digest,
    )


def _left_behind(account: Account, command: SignIn) -> tuple[Login, ...]:
    """Return what the same browser began before: it has a cookie for one login, so nobody waits for those any more.

    Such a login is one whose page did not come, since Kafka was away; the person sent the password again.
    """
    if command.browser_digest is None:
        return ()
    same = (each for each in account.logins if each.browser_digest == command.browser_digest)
    return tuple(each for each in same if each.kind is LoginKind.SIGN_IN and not each.over)


def _remembered(account: Account, command: SignIn, rules: Rules) -> bool:
    """Tell whether the browser is remembered. After a report none is, and none is without a second factor.

    A setting that came to be shorter holds for the browsers that were remembered before it, too.
    """
    if not account.enrolled or account.push.reported is not None:
        return False
    still = (each for each in account.remembered if command.at <= each.since + rules.remember_lifetime)
    return command.remembered_digest in {each.digest for each in still}


def _leaving(account: Account) -> tuple[Login, ...]:
    """Return which login gives way to a new one, if one must: the oldest that the phone is not being asked for."""
    if len(account.logins) < MOST_LOGINS:
        return ()
    over = tuple(each for each in account.logins if each.over)
    idle = tuple(each for each in account.logins if each.state is not LoginState.CHALLENGED)
    return (over or idle)[:1]
