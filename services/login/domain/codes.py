"""Verification codes: checked where they are entered, counted here, each one once."""

from datetime import datetime

from schemas.login_commands import FailCode, UseCode, UseRecoveryCode
from schemas.login_notices import NoticeKind
from services.common.decisions import Decision
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.emails import notice
from services.login.domain.expire import settle, tell
from services.login.domain.history import Happening, Method
from services.login.domain.limits import Refused, Rules
from services.login.domain.login import Login, LoginState
from services.login.domain.methods import Device, RecoveryCode
from services.login.domain.withdrawals import withdrawn


def decide_code(account: Account, command: UseCode, rules: Rules) -> Decision[Account]:
    """Complete a login by a code that was right, unless it was used before.

    Check and record are one decision, so a code counts once however many browsers send it at the same instant.
    """
    settled = settle(account, command.at)
    login = _ready(settled, command.login_id, command.at)
    if isinstance(login, Refused):
        return Decision(settled, outcome=login)
    method = settled.method(command.method_id)
    if method is None:
        return Decision(settled, outcome=Refused.UNKNOWN_METHOD)
    if command.step <= method.last_step:
        return Decision(failed(settled, login, command.at, rules), outcome=Refused.USED_CODE)
    used = settled.with_method(method.model_copy(update={"last_step": command.step}))
    kind = Method.PHONE_CODE if isinstance(method, Device) else Method.APP_CODE
    approved = approve(used, login, kind, command.at, rules, device_name=method.name)
    return Decision(approved, withdrawn((login,), command.at))


def decide_recovery_code(account: Account, command: UseRecoveryCode, rules: Rules) -> Decision[Account]:
    """Complete a login by a recovery code, and use it up."""
    settled = settle(account, command.at)
    login = _ready(settled, command.login_id, command.at)
    if isinstance(login, Refused):
        return Decision(settled, outcome=login)
    found = _recovery_code(settled, command.code_digest)
    if found is None or found.used_at is not None:
        wrong = failed(settled, login, command.at, rules)
        return Decision(wrong, outcome=Refused.WRONG_CODE if found is None else Refused.USED_CODE)
    used = tell(_used_up(settled, found, command.at), Happening.RECOVERY_CODE_USED, command.at, login)
    approved = approve(used, login, Method.RECOVERY_CODE, command.at, rules)
    left = 0 if used.recovery is None else used.recovery.left
    mail = notice(settled, NoticeKind.RECOVERY_CODE_USED, command.at, login.browser, left=left)
    return Decision(approved, (*withdrawn((login,), command.at), *mail))


def decide_wrong_code(account: Account, command: FailCode, rules: Rules) -> Decision[Account]:
    """Count a wrong code; from the fifth in a row on, take none for a growing while."""
    settled = settle(account, command.at)
    login = settled.login(command.login_id)
    if login is None or login.over:
        return Decision(settled, outcome=Refused.NO_LOGIN)
    if codes_paused(settled, command.at):
        return Decision(settled, outcome=Refused.CODES_PAUSED)
    wrong = failed(settled, login, command.at, rules)
    return Decision(wrong, outcome=Refused.CODES_PAUSED if wrong.codes_paused_until else Refused.WRONG_CODE)


def codes_paused(account: Account, at: datetime) -> bool:
    """Tell whether no code is taken just now."""
    return account.codes_paused_until is not None and at < account.codes_paused_until


def _ready(account: Account, login_id: str, at: datetime) -> Login | Refused:
    """Return the login that a code can complete, or why none is taken."""
    login = account.login(login_id)
    if login is None or login.over:
        return Refused.NO_LOGIN
    if login.state not in {LoginState.READY, LoginState.PROMPTED}:
        return Refused.NOT_NOW
    return Refused.CODES_PAUSED if codes_paused(account, at) else login


def failed(account: Account, login: Login, at: datetime, rules: Rules) -> Account:
    """Return the account with a wrong code counted, and perhaps a pause begun."""
    count = account.wrong_codes + 1
    paused_until = rules.codes.until(count, at)
    told = tell(account, Happening.WRONG_CODE, at, login)
    if paused_until is not None:
        told = tell(told, Happening.CODES_PAUSED, at, login)
    return told.model_copy(update={"wrong_codes": count, "codes_paused_until": paused_until})


def _recovery_code(account: Account, digest: str) -> RecoveryCode | None:
    codes = () if account.recovery is None else account.recovery.codes
    return next((code for code in codes if code.digest == digest), None)


def _used_up(account: Account, used: RecoveryCode, at: datetime) -> Account:
    if account.recovery is None:
        return account
    codes = tuple(code.model_copy(update={"used_at": at}) if code is used else code for code in account.recovery.codes)
    return account.model_copy(update={"recovery": account.recovery.model_copy(update={"codes": codes})})
