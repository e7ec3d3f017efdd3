"""The password's side of a login: begun, refused for a while, given up."""

from typing import Final

from schemas.login_commands import CancelLogin, FailPassword, SignIn
from services.common.decisions import Decision
from services.login.domain.accounts import withdrawals
from services.login.domain.pairing import pairing_withdrawals
from services.login.domain.prompts import send_prompt
from services.login.domain.rows import Account, EndReason, Happening, HistoryEntry, Login, LoginState
from services.login.domain.rules import Refused, Rules
from services.login.domain.settle import MOST_HISTORY, settle

MOST_LOGINS: Final = 8


def decide_sign_in(account: Account, command: SignIn, rules: Rules) -> Decision[Account]:
    """Begin a login, and ask the phone if there is one and it is not being asked already."""
    settled = settle(account, command.at)
    if settled.login(command.login_id) is not None:
        return Decision(settled)
    if settled.locked_until is not None and command.at < settled.locked_until:
        return Decision(settled, outcome=Refused.LOCKED)
    if command.password_hash != settled.password_hash:
        return Decision(settled, outcome=Refused.PASSWORD_CHANGED)
    login = Login(
        login_id=command.login_id,
        login_digest=command.login_digest,
        session_digest=command.session_digest,
        browser=command.browser,
        state=LoginState.READY if settled.devices else LoginState.NEEDS_PHONE,
        started_at=command.at,
        expires_at=command.at + rules.login_lifetime,
    )
    leaving = _leaving(settled)
    logins = tuple(each for each in settled.logins if each not in leaving)
    changes = {"logins": (*logins, login), "wrong_passwords": 0, "locked_until": None}
    begun = settled.model_copy(update=changes)
    if login.state is LoginState.NEEDS_PHONE or begun.open_prompt() is not None:
        return Decision(begun, pairing_withdrawals(leaving, command.at))
    return send_prompt(begun, login, command.login_id, command.at, rules)


def decide_wrong_password(account: Account, command: FailPassword, rules: Rules) -> Decision[Account]:
    """Count a wrong password; from the fifth in a row on, take none for a growing while."""
    settled = settle(account, command.at)
    if settled.locked_until is not None and command.at < settled.locked_until:
        return Decision(settled, outcome=Refused.LOCKED)
    count = settled.wrong_passwords + 1
    entries = [HistoryEntry(what=Happening.WRONG_PASSWORD, at=command.at, browser=command.browser)]
    locked_until = None
    if count >= rules.password_tries:
        doublings = min(count - rules.password_tries, 20)
        locked_until = command.at + min(rules.first_pause * 2**doublings, rules.longest_pause)
        entries.append(HistoryEntry(what=Happening.PAUSED, at=command.at, browser=command.browser))
    changes = {
        "wrong_passwords": count,
        "locked_until": locked_until,
        "history": (*settled.history, *entries)[-MOST_HISTORY:],
    }
    return Decision(settled.model_copy(update=changes), outcome=Refused.LOCKED if locked_until else "ok")


def decide_cancel(account: Account, command: CancelLogin) -> Decision[Account]:
    """Give a login up; the phone need not answer any more."""
    settled = settle(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled)
    prompted = login.state is LoginState.PROMPTED
    events = withdrawals(settled) if prompted else pairing_withdrawals((login,), command.at)
    return Decision(settled.with_login(login.ended(EndReason.CANCELLED, command.at)), events)


def _leaving(account: Account) -> tuple[Login, ...]:
    """Return which login gives way to a new one, if one must: the oldest that the phone is not being asked for."""
    if len(account.logins) < MOST_LOGINS:
        return ()
    over = tuple(each for each in account.logins if each.over)
    idle = tuple(each for each in account.logins if each.state is not LoginState.PROMPTED)
    return (over or idle)[:1]
