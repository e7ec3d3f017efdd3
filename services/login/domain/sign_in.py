"""Sign-in by password: starting a login, counting wrong passwords, cancelling."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from schemas.base import Browser
from schemas.login_messages import CancelLogin, FailPassword, SignIn
from services.common.decisions import OK, Decision
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.challenges import challenge_rejection, send_challenge
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Enrolment, Limits
from services.login.domain.login import EndReason, Login, LoginKind, LoginState
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import withdrawn

MOST_LOGINS: Final = 8
MOST_ENDED_LOGINS: Final = 3


def start(account: Account, login: Login | None, command: SignIn, at: datetime, policy: Policy) -> Decision[Account]:
    """Start a login, and challenge the first phone if the limits allow it.

    The wrong passwords before it stay counted until the login is approved: the password alone ends no pause.
    """
    if login is not None:
        return Decision(account)
    limits, known = policy.limits, account.knows(command.browser_digest)
    if account.passwords.of(known=known).is_closed(limits.passwords):
        wrong = _with_wrong_password(account, command.browser, at, limits, known=known)
        return Decision(wrong.row, outcome=Rejection.CLOSED if wrong.outcome == OK else wrong.outcome)
    rejection = _rejection(account, command, at, known=known)
    if rejection is not None:
        return Decision(account, outcome=rejection)
    started, abandoned = _login(account, command, at, limits), _abandoned(account, command)
    begun, evicted = with_login_begun(account.with_ended(abandoned, EndReason.CANCELLED, at), started)
    sign_ins = begun.sign_ins.failed(at, limits.sign_ins, known=known)
    begun = replace(begun, sign_ins=sign_ins, password_hash=command.renewed_hash or begun.password_hash)
    withdrawals = withdrawn((*abandoned, *evicted), at)
    if _is_remembered(begun, command, at, limits):
        return Decision(approve(begun, started, Method.REMEMBERED, at, limits), withdrawals)
    if started.state is not LoginState.READY or challenge_rejection(begun, at, limits) is not None:
        return Decision(begun, withdrawals)
    sent = send_challenge(begun, started, begun.devices[0], challenge_id=command.login_id, at=at, policy=policy)
    return Decision(sent.row, (*withdrawals, *sent.events))


def with_login_begun(account: Account, login: Login) -> tuple[Account, tuple[Login, ...]]:
    """Return the account with a login added, and the logins that were evicted for it."""
    evicted = _evicted(account, login)
    logins = tuple(each for each in account.logins if each not in evicted)
    return replace(account, logins=(*logins, login)), evicted


def count_wrong_password(
    account: Account, _login: Login | None, command: FailPassword, at: datetime, policy: Policy
) -> Decision[Account]:
    """Count a wrong password; several in a row lead to a pause (`limits.Limits.passwords`)."""
    known = account.knows(command.browser_digest)
    return _with_wrong_password(account, command.browser, at, policy.limits, known=known)


def _rejection(account: Account, command: SignIn, at: datetime, *, known: bool) -> Rejection | None:
    """Return why a right password starts no login, or None if it does."""
    if account.passwords.of(known=known).is_paused(at):
        return Rejection.LOCKED
    if command.password_hash != account.password_hash:
        return Rejection.PASSWORD_CHANGED
    return Rejection.TOO_MANY_SIGN_INS if account.sign_ins.of(known=known).is_paused(at) else None


def _with_wrong_password(
    account: Account, browser: Browser, at: datetime, limits: Limits, *, known: bool
) -> Decision[Account]:
    if account.passwords.of(known=known).is_paused(at):
        return Decision(account, outcome=Rejection.LOCKED)
    wrong = replace(account, passwords=account.passwords.failed(at, limits.passwords, known=known))
    wrong = wrong.with_history(HistoryKind.WRONG_PASSWORD, at, browser=browser)
    throttle = wrong.passwords.of(known=known)
    if throttle.in_a_row == limits.passwords.close_after:
        wrong = wrong.with_history(HistoryKind.PASSWORD_CLOSED, at, browser=browser)
    if throttle.paused_until is None:
        return Decision(wrong, outcome=OK)
    return Decision(wrong.with_history(HistoryKind.PAUSED, at, browser=browser), outcome=Rejection.LOCKED)


def cancel(
    account: Account, login: Login | None, _command: CancelLogin, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Cancel a login, and withdraw its challenge or pairing. If it is over, nothing changes."""
    if login is None or login.over:
        return Decision(account)
    return Decision(account.with_ended((login,), EndReason.CANCELLED, at), withdrawn((login,), at))


def first_state(account: Account, limits: Limits) -> LoginState:
    """Return the first state of an account's sign-in."""
    if account.enrolled:
        return LoginState.READY
    return LoginState.NEEDS_PHONE if limits.enrolment is Enrolment.NOTHING else LoginState.NEEDS_ENROLMENT


def _login(account: Account, command: SignIn, at: datetime, limits: Limits) -> Login:
    return Login(
        login_id=command.login_id,
        login_digest=command.login_digest,
        session_digest=command.session_digest,
        browser=command.browser,
        browser_digest=command.browser_digest,
        state=first_state(account, limits),
        started_at=at,
        expires_at=at + limits.login_lifetime,
        remember_digest=command.remember_digest,
    )


def _abandoned(account: Account, command: SignIn) -> tuple[Login, ...]:
    """Return the open sign-ins that the same browser began before: its cookie holds one login only.

    They exist if a response was lost while Kafka was away, and the person sent the password again.
    """
    if command.browser_digest is None:
        return ()
    same = (each for each in account.logins if each.browser_digest == command.browser_digest)
    return tuple(each for each in same if each.kind is LoginKind.SIGN_IN and not each.over)


def _is_remembered(account: Account, command: SignIn, at: datetime, limits: Limits) -> bool:
    """Tell whether the browser is remembered. None is while a new password is due, or without a second factor.

    A shortened setting also applies to browsers that were remembered before.
    """
    if not account.enrolled or account.password_change_due:
        return False
    still = (each for each in account.remembered if at <= each.since + limits.remember_lifetime)
    return command.remembered_digest in {each.digest for each in still}


def _evicted(account: Account, login: Login) -> tuple[Login, ...]:
    """Return the logins to evict for one more: the oldest that are over, and else the oldest without an open challenge.

    Pages show how the last ones ended, and phones that answer late are told. Strangers have half of the places, and a
    login in a browser that the account knows gives way to none of theirs.
    """
    over = tuple(each for each in account.logins if each.over)
    evicted = over[: max(0, len(over) + 1 - MOST_ENDED_LOGINS)]
    known = account.knows_browser_of(login)
    same = tuple(each for each in account.logins if not each.over and account.knows_browser_of(each) is known)
    idle = tuple(each for each in same if each.state is not LoginState.CHALLENGED)
    if len(same) >= MOST_LOGINS // 2:
        return (*evicted, *idle[:1])
    if len(account.logins) - len(evicted) < MOST_LOGINS:
        return evicted
    return evicted or over[:1] or idle[:1]
