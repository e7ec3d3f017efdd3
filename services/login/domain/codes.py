"""Verification codes: checked where they are entered, counted here, each one once."""

from datetime import datetime

from schemas.login_commands import FailCode, UseCode, UseRecoveryCode
from schemas.login_notices import EmailKind
from services.common.decisions import Decision
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.emails import email_due
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import Login, LoginState
from services.login.domain.methods import Device, RecoveryCode
from services.login.domain.withdrawals import withdrawn


def decide_code(account: Account, command: UseCode, rules: Rules) -> Decision[Account]:
    """Complete a login by a code that was right, unless it was used before.

    Check and record are one decision, so a code counts once however many browsers send it at the same instant.
    """
    settled = expire(account, command.at)
    login = _ready(settled, command.login_id, command.at)
    if isinstance(login, Rejection):
        return Decision(settled, outcome=login)
    method = settled.method(command.method_id)
    if method is None:
        return Decision(settled, outcome=Rejection.UNKNOWN_METHOD)
    if command.time_step <= method.last_time_step:
        return Decision(failed(settled, login, command.at, rules), outcome=Rejection.USED_CODE)
    used = settled.with_method(method.model_copy(update={"last_time_step": command.time_step}))
    kind = Method.PHONE_CODE if isinstance(method, Device) else Method.APP_CODE
    approved = approve(used, login, kind, command.at, rules, device_name=method.name)
    return Decision(approved, withdrawn((login,), command.at))


def decide_recovery_code(account: Account, command: UseRecoveryCode, rules: Rules) -> Decision[Account]:
    """Complete a login by a recovery code, and use it up."""
    settled = expire(account, command.at)
    login = _ready(settled, command.login_id, command.at)
    if isinstance(login, Rejection):
        return Decision(settled, outcome=login)
    found = _recovery_code(settled, command.code_digest)
    if found is None or found.used_at is not None:
        wrong = failed(settled, login, command.at, rules)
        return Decision(wrong, outcome=Rejection.WRONG_CODE if found is None else Rejection.USED_CODE)
    used = with_history(_used_up(settled, found, command.at), HistoryKind.RECOVERY_CODE_USED, command.at, login)
    approved = approve(used, login, Method.RECOVERY_CODE, command.at, rules)
    left = 0 if used.recovery is None else used.recovery.left
    mail = email_due(settled, EmailKind.RECOVERY_CODE_USED, command.at, login.browser, left=left)
    return Decision(approved, (*withdrawn((login,), command.at), *mail))


def decide_wrong_code(account: Account, command: FailCode, rules: Rules) -> Decision[Account]:
    """Count a wrong code; from the fifth in a row on, take none for a growing while."""
    settled = expire(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Rejection.NO_LOGIN)
    if codes_paused(settled, command.at):
        return Decision(settled, outcome=Rejection.CODES_PAUSED)
    wrong = failed(settled, login, command.at, rules)
    return Decision(wrong, outcome=Rejection.CODES_PAUSED if wrong.codes_paused_until else Rejection.WRONG_CODE)


def codes_paused(account: Account, at: datetime) -> bool:
    """Tell whether no code is taken just now."""
    return account.codes_paused_until is not None and at < account.codes_paused_until


def _ready(account: Account, login_id: str, at: datetime) -> Login | Rejection:
    """Return the login that a code can complete, or why none is taken."""
    login = account.login(login_id)
    if login is None or login.over:
        return Rejection.NO_LOGIN
    if login.state not in {LoginState.READY, LoginState.CHALLENGED}:
        return Rejection.NOT_NOW
    return Rejection.CODES_PAUSED if codes_paused(account, at) else login


def failed(account: Account, login: Login, at: datetime, rules: Rules) -> Account:
    """Return the account with a wrong code counted, and perhaps a pause begun."""
    count = account.wrong_codes + 1
    paused_until = rules.codes.until(count, at)
    told = with_history(account, HistoryKind.WRONG_CODE, at, login)
    if paused_until is not None:
        told = with_history(told, HistoryKind.CODES_PAUSED, at, login)
    return told.model_copy(update={"wrong_codes": count, "codes_paused_until": paused_until})


def _recovery_code(account: Account, digest: str) -> RecoveryCode | None:
    codes = () if account.recovery is None else account.recovery.codes
    return next((code for code in codes if code.digest == digest), None)


def _used_up(account: Account, used: RecoveryCode, at: datetime) -> Account:
    if account.recovery is None:
        return account
    codes = tuple(code.model_copy(update={"used_at": at}) if code is used else code for code in account.recovery.codes)
    return account.model_copy(update={"recovery": account.recovery.model_copy(update={"codes": codes})})
