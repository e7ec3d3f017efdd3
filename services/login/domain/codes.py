"""Codes in place of the phone's answer. The web side checks them; the owner counts them, each once."""

from dataclasses import replace
from datetime import datetime

from schemas.contract import ChallengeOutcome
from schemas.login_messages import EmailKind, FailCode, UseCode, UseRecoveryCode
from services.common.decisions import Decision
from services.common.throttle import PauseLimits
from services.login.domain.account import Account
from services.login.domain.approval import approve
from services.login.domain.attempts import Attempts
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind, Method
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.domain.methods import Device, RecoveryCode, RecoveryCodes
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import withdrawn


def use_code(account: Account, login: Login, command: UseCode, at: datetime, policy: Policy) -> Decision[Account]:
    """Approve a login by a matching code, unless the code was used before (RFC 6238 section 5.2).

    Check and record are one decision, so a code counts once even if several browsers send it at the same instant.
    """
    rejection = _code_rejection(account, login, account.codes, policy.limits.codes, at)
    if rejection is not None:
        return Decision(account, outcome=rejection)
    method = account.method(command.method_id)
    if method is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    if command.time_step <= method.last_time_step:
        return Decision(with_wrong_code(account, login, at, policy.limits), outcome=Rejection.USED_CODE)
    if isinstance(method, Device):
        used = account.with_device(replace(method, last_time_step=command.time_step))
        by = Method.PHONE_CODE
    else:
        used = account.with_app(replace(method, last_time_step=command.time_step))
        by = Method.APP_CODE
    approved = approve(used, login, by, at, policy.limits, device_name=method.name)
    return Decision(approved, withdrawn((login,), at, ChallengeOutcome.ANSWERED_ELSEWHERE))


def use_recovery_code(
    account: Account, login: Login, command: UseRecoveryCode, at: datetime, policy: Policy
) -> Decision[Account]:
    """Approve a login by a recovery code, which is then used up."""
    limits = policy.limits
    rejection = _code_rejection(account, login, account.recovery_codes, limits.recovery_codes, at)
    if rejection is not None:
        return Decision(account, outcome=rejection)
    found = _recovery_code(account, command.code_digest)
    if account.recovery is None or found is None or found.used_at is not None:
        known = account.knows_browser_of(login)
        counted = account.recovery_codes.failed(at, limits.recovery_codes, known=known)
        wrong = _recorded(replace(account, recovery_codes=counted), login, counted, limits.recovery_codes, at)
        return Decision(wrong, outcome=Rejection.WRONG_CODE if found is None else Rejection.USED_CODE)
    left = _with_used(account.recovery, found, at)
    used = replace(account, recovery=left).with_history(HistoryKind.RECOVERY_CODE_USED, at, login)
    approved = approve(used, login, Method.RECOVERY_CODE, at, limits)
    email = email_due(account, EmailKind.RECOVERY_CODE_USED, at, login.browser, left=left.left)
    return Decision(approved, (*withdrawn((login,), at, ChallengeOutcome.ANSWERED_ELSEWHERE), *email))


def count_wrong_code(
    account: Account, login: Login, _command: FailCode, at: datetime, policy: Policy
) -> Decision[Account]:
    """Count a wrong code; several in a row lead to a pause (`limits.Limits.codes`)."""
    rejection = code_pause(account, login, account.codes, policy.limits.codes, at)
    if rejection is not None:
        return Decision(account, outcome=rejection)
    wrong = with_wrong_code(account, login, at, policy.limits)
    rejection = code_pause(wrong, login, wrong.codes, policy.limits.codes, at)
    return Decision(wrong, outcome=rejection or Rejection.WRONG_CODE)


def with_wrong_code(account: Account, login: Login, at: datetime, limits: Limits) -> Account:
    """Return the account with a wrong code counted, which may begin a pause."""
    counted = account.codes.failed(at, limits.codes, known=account.knows_browser_of(login))
    return _recorded(replace(account, codes=counted), login, counted, limits.codes, at)


def code_pause(
    account: Account, login: Login, attempts: Attempts, limits: PauseLimits, at: datetime
) -> Rejection | None:
    """Return why no code of a kind is taken from a login's browser, or None if one is."""
    throttle = attempts.of(known=account.knows_browser_of(login))
    if throttle.is_closed(limits):
        return Rejection.CODES_CLOSED
    return Rejection.CODES_PAUSED if throttle.is_paused(at) else None


def _recorded(account: Account, login: Login, attempts: Attempts, limits: PauseLimits, at: datetime) -> Account:
    """Return the account with a wrong code in its history, and the pause or the end that it led to."""
    wrong = account.with_history(HistoryKind.WRONG_CODE, at, login)
    throttle = attempts.of(known=account.knows_browser_of(login))
    if throttle.in_a_row == limits.close_after:
        wrong = wrong.with_history(HistoryKind.CODES_CLOSED, at, login)
    return wrong if throttle.paused_until is None else wrong.with_history(HistoryKind.CODES_PAUSED, at, login)


def _code_rejection(
    account: Account, login: Login, attempts: Attempts, limits: PauseLimits, at: datetime
) -> Rejection | None:
    """Return why no code is accepted for a login, or None if one is."""
    if login.state not in {LoginState.READY, LoginState.CHALLENGED}:
        return Rejection.NOT_NOW
    return code_pause(account, login, attempts, limits, at)


def _recovery_code(account: Account, digest: str) -> RecoveryCode | None:
    codes = () if account.recovery is None else account.recovery.codes
    return next((code for code in codes if code.digest == digest), None)


def _with_used(recovery: RecoveryCodes, used: RecoveryCode, at: datetime) -> RecoveryCodes:
    """Return a set of codes with one of them used."""
    return replace(
        recovery, codes=tuple(replace(code, used_at=at) if code is used else code for code in recovery.codes)
    )
