"""Changes of an account's methods, in a confirmed session."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from schemas.base import Message
from schemas.login_messages import AddApp, ChoosePhone, EmailKind, MakeRecoveryCodes, RemoveMethod, RenameMethod
from services.common.decisions import Decision
from services.login.domain.account import Account, Session
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason
from services.login.domain.methods import AuthenticatorApp, Device, RecoveryCode, RecoveryCodes
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import unpaired, withdrawn

MOST_APPS: Final = 5


def add_app(account: Account, session: Session, command: AddApp, at: datetime, _policy: Policy) -> Decision[Account]:
    """Add an authenticator app whose first code was right."""
    if account.method(command.method_id) is not None:
        return Decision(account)
    if len(account.apps) >= MOST_APPS:
        return Decision(account, outcome=Rejection.TOO_MANY_METHODS)
    app = AuthenticatorApp(
        method_id=command.method_id,
        name=command.name,
        sealed_secret=command.sealed_secret,
        added_at=at,
        last_time_step=command.time_step,
    )
    added = replace(account, apps=(*account.apps, app))
    return _recorded(added, HistoryKind.APP_ADDED, EmailKind.APP_ADDED, at, session, app.name)


def make_recovery_codes(
    account: Account, session: Session, command: MakeRecoveryCodes, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Replace the recovery codes by a new set."""
    codes = tuple(RecoveryCode(digest=each) for each in command.code_digests)
    made = RecoveryCodes(salt=command.salt, pepper_id=command.pepper_id, made_at=at, codes=codes)
    renewed = replace(account, recovery=made)
    return _recorded(renewed, HistoryKind.RECOVERY_CODES_MADE, EmailKind.RECOVERY_CODES_MADE, at, session)


def choose(
    account: Account, session: Session, command: ChoosePhone, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Make a phone the first one to be challenged."""
    chosen = next((each for each in account.devices if each.method_id == command.method_id), None)
    if chosen is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    others = tuple(each for each in account.devices if each is not chosen)
    first = replace(account, devices=(chosen, *others))
    return Decision(first.with_history(HistoryKind.PHONE_CHOSEN, at, device_name=chosen.name, browser=session.browser))


def rename(
    account: Account, session: Session, command: RenameMethod, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Give a phone or an app another name."""
    method = account.method(command.method_id)
    if method is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    if isinstance(method, Device):
        renamed = account.with_device(replace(method, name=command.name))
    else:
        renamed = account.with_app(replace(method, name=command.name))
    return Decision(
        renamed.with_history(HistoryKind.METHOD_RENAMED, at, device_name=command.name, browser=session.browser)
    )


def remove(
    account: Account, session: Session, command: RemoveMethod, at: datetime, policy: Policy
) -> Decision[Account]:
    """Remove a phone or an app, except the last method."""
    method = account.method(command.method_id)
    if method is None:
        return Decision(account, outcome=Rejection.UNKNOWN_METHOD)
    if len(account.methods) == 1:
        return Decision(account, outcome=Rejection.LAST_METHOD)
    if isinstance(method, AuthenticatorApp):
        left = replace(account, apps=tuple(each for each in account.apps if each is not method))
        return _recorded(left, HistoryKind.APP_REMOVED, EmailKind.APP_REMOVED, at, session, method.name)
    without, withdrawals = _without_phone(account, method, at)
    changed = _recorded(without, HistoryKind.PHONE_REMOVED, EmailKind.PHONE_REMOVED, at, session, method.name)
    statements = unpaired(account.account_id, (method,), at, policy.signer)
    return Decision(changed.row, (*withdrawals, *statements, *changed.events))


def _without_phone(account: Account, phone: Device, at: datetime) -> tuple[Account, tuple[Message, ...]]:
    """Return the account without a phone, and the withdrawal of its open challenge."""
    left = replace(account, devices=tuple(each for each in account.devices if each is not phone))
    login = account.open_challenge()
    if login is None or login.challenge is None or login.challenge.device_id != phone.device_id:
        return left, ()
    return left.with_ended((login,), EndReason.CANCELLED, at), withdrawn((login,), at)


def _recorded(  # noqa: PLR0913, PLR0917 - a change's facts
    account: Account, what: HistoryKind, kind: EmailKind, at: datetime, session: Session, method_name: str = ""
) -> Decision[Account]:
    """Return the decision on a change, with its history entry and its e-mail."""
    email = email_due(account, kind, at, session.browser, method_name)
    return Decision(account.with_history(what, at, device_name=method_name, browser=session.browser), email)
