"""The deciders for accounts, by message type."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import Any, Final

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse, DevicePaired, PairingFailed, Purpose
from schemas.login_messages import (
    AddApp,
    AddPhone,
    AdministratorCommand,
    CancelLogin,
    ChangeName,
    ChangePassword,
    ChoosePhone,
    Confirm,
    EndSession,
    Enrol,
    FailCode,
    FailPassword,
    ForgetBrowser,
    Invite,
    MakeRecoveryCodes,
    OpenAccount,
    RemoveAccount,
    RemoveMethod,
    RenameMethod,
    ResetMethods,
    RevokeSession,
    SendChallenge,
    SendEnrolmentCode,
    SetEmail,
    SetPassword,
    SignIn,
    StartPairing,
    TouchSession,
    UseCode,
    UseRecoveryCode,
)
from services.common.decisions import Decision
from services.login.domain import administration, challenges, codes, method_changes, pairing, sessions, sign_in
from services.login.domain.account import Account, Session
from services.login.domain.expire import expire
from services.login.domain.login import Login
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection

Decider = Callable[[Account, Login | None, Any, datetime, Policy], Decision[Account]]
"""Decides one type of message, on the expired account and the login that the message names, if it exists."""


def _in_open_login(decide: Callable[[Account, Login, Any, datetime, Policy], Decision[Account]]) -> Decider:
    """Return a decider that rejects a message whose login is over or does not exist."""

    @wraps(decide)
    def decider(account: Account, login: Login | None, message: Any, at: datetime, policy: Policy) -> Decision[Account]:
        if login is None or login.over:
            return Decision(account, outcome=Rejection.NO_LOGIN)
        return decide(account, login, message, at, policy)

    return decider


def _in_session(decide: Callable[[Account, Session, Any, datetime, Policy], Decision[Account]]) -> Decider:
    """Return a decider that rejects a command whose session is over."""

    @wraps(decide)
    def decider(
        account: Account, _login: Login | None, command: Any, at: datetime, policy: Policy
    ) -> Decision[Account]:
        session = account.session(command.session_digest, at)
        if session is None:
            return Decision(account, outcome=Rejection.NO_SESSION)
        return decide(account, session, command, at, policy)

    return decider


def _in_confirmed_session(decide: Callable[[Account, Session, Any, datetime, Policy], Decision[Account]]) -> Decider:
    """Return a decider that rejects a command whose session is over, or has no recent second factor."""

    @wraps(decide)
    def confirmed(account: Account, session: Session, command: Any, at: datetime, policy: Policy) -> Decision[Account]:
        if not sessions.is_confirmed(session, at, policy.limits):
            return Decision(account, outcome=Rejection.NOT_CONFIRMED)
        return decide(account, session, command, at, policy)

    return _in_session(confirmed)


def _in_usable_account(
    decide: Callable[[Account, Session, Any, datetime, Policy], Decision[Account]],
) -> Callable[[Account, Session, Any, datetime, Policy], Decision[Account]]:
    """Return a decider that rejects a session's command while a new password is due."""

    @wraps(decide)
    def usable(account: Account, session: Session, command: Any, at: datetime, policy: Policy) -> Decision[Account]:
        if account.password_change_due:
            return Decision(account, outcome=Rejection.PASSWORD_CHANGE_DUE)
        return decide(account, session, command, at, policy)

    return usable


DECIDERS: Final[Mapping[type[Message], Decider]] = {
    SignIn: sign_in.start,
    FailPassword: sign_in.count_wrong_password,
    CancelLogin: sign_in.cancel,
    SendEnrolmentCode: _in_open_login(pairing.send_enrolment_code),
    Enrol: _in_open_login(pairing.enrol),
    StartPairing: _in_open_login(pairing.start),
    DevicePaired: pairing.add_device,
    PairingFailed: pairing.record_failure,
    SendChallenge: _in_open_login(challenges.send),
    AuthResponse: challenges.answer,
    UseCode: _in_open_login(codes.use_code),
    UseRecoveryCode: _in_open_login(codes.use_recovery_code),
    FailCode: _in_open_login(codes.count_wrong_code),
    TouchSession: _in_session(sessions.touch),
    EndSession: sessions.sign_out,
    RevokeSession: _in_session(sessions.revoke),
    ForgetBrowser: _in_session(_in_usable_account(sessions.forget_browser)),
    Confirm: _in_session(sessions.confirm),
    AddPhone: _in_confirmed_session(_in_usable_account(sessions.add_phone)),
    ChangePassword: _in_confirmed_session(sessions.change_password),
    AddApp: _in_confirmed_session(_in_usable_account(method_changes.add_app)),
    MakeRecoveryCodes: _in_confirmed_session(_in_usable_account(method_changes.make_recovery_codes)),
    ChoosePhone: _in_confirmed_session(_in_usable_account(method_changes.choose)),
    RenameMethod: _in_confirmed_session(_in_usable_account(method_changes.rename)),
    RemoveMethod: _in_confirmed_session(_in_usable_account(method_changes.remove)),
    SetEmail: administration.set_email,
    Invite: administration.invite,
    SetPassword: administration.set_password,
    ResetMethods: administration.reset,
    RemoveAccount: administration.remove,
}
"""The decider of each message type, except those that also decide without an account."""


def decide_account(row: Account | None, event: Event[Message], policy: Policy) -> Decision[Account]:
    """Decide on an event for an account.

    Args:
        row: The account, or None if it does not exist.
        event: The event; its time is the decision's time.
        policy: The limits and the signer.

    Returns:
        The decision; its outcome is ``ok`` or a Rejection. A message for another table changes nothing.

    Raises:
        UnacceptableError: If a response or a pairing is forged.

    """
    decision = _decide(row, event.data, event.time, policy)
    if decision.row is None or (row is not None and decision.row.administered == row.administered):
        return decision
    return replace(decision, row=replace(decision.row, revision=1 + _revision(row)))


def _decide(row: Account | None, message: Message, at: datetime, policy: Policy) -> Decision[Account]:
    if isinstance(message, AdministratorCommand) and message.revision != _revision(row):
        return Decision(row, outcome=Rejection.CHANGED)
    gone = row is None or row.removed_at is not None
    if isinstance(message, OpenAccount | ChangeName) or (gone and isinstance(message, RemoveAccount)):
        return administration.settle_name(row, message, at)
    if isinstance(message, AuthResponse) and message.purpose is not Purpose.LOGIN:
        return Decision(row)
    if row is None or row.removed_at is not None:
        return Decision(row, outcome=Rejection.UNKNOWN_ACCOUNT)
    decider = DECIDERS.get(type(message))
    if decider is None:
        return Decision(row)
    account = expire(row, at, policy.limits)
    return decider(account, _login_of(account, message), message, at, policy)


def _revision(row: Account | None) -> int:
    return 0 if row is None else row.revision


def _login_of(account: Account, message: Message) -> Login | None:
    """Return the login that a message names, or None."""
    match message:
        case DevicePaired() | PairingFailed():
            return account.login_of_pairing(message.pairing_id)
        case AuthResponse():
            return account.login_of_challenge(message.challenge_id)
        case _:
            login_id = getattr(message, "login_id", None)
            return None if login_id is None else account.login(login_id)
