"""Which rule decides which event."""

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse, DevicePaired, PairingFailed, Purpose
from schemas.login_administration import CreateAccount, Invite, RemoveAccount, ResetMethods, SetEmail
from schemas.login_commands import (
    CancelLogin,
    Enrol,
    FailCode,
    FailPassword,
    SendChallenge,
    SendEnrolmentCode,
    SignIn,
    StartPairing,
    UseCode,
    UseRecoveryCode,
)
from schemas.login_sessions import (
    AddApp,
    AddPhone,
    ChangePassword,
    ChoosePhone,
    Confirm,
    EndSession,
    ForgetBrowser,
    MakeRecoveryCodes,
    RemoveMethod,
    RenameMethod,
    RevokeSession,
    SessionCommand,
    TouchSession,
)
from services.common.decisions import Decision
from services.login.domain import (
    administration,
    challenges,
    codes,
    confirmations,
    enrolment,
    managing,
    pairing,
    sessions,
    sign_in,
)
from services.login.domain.account import Account
from services.login.domain.limits import Rejection, Rules


def decide(row: Account | None, event: Event[Message], rules: Rules) -> Decision[Account]:
    """Decide any event that concerns an account.

    Args:
        row: The account, or None if there is none.
        event: The event.
        rules: What it is decided with.

    Returns:
        The decision; its outcome is ``ok`` or a Refused.

    Raises:
        UnacceptableError: If a response or a pairing is forged.

    """
    if isinstance(event.data, CreateAccount):
        return administration.decide_creation(row, event.data)
    if isinstance(event.data, AuthResponse) and event.data.purpose is not Purpose.LOGIN:
        return Decision(row)
    if row is None or row.removed_at is not None:
        return Decision(row, outcome=Rejection.UNKNOWN_ACCOUNT)
    if isinstance(event.data, SessionCommand):
        return _decide_in_session(row, event.data, rules)
    return _decide_login(row, event, rules)


def _decide_login(account: Account, event: Event[Message], rules: Rules) -> Decision[Account]:  # noqa: C901, PLR0911, PLR0912 - one line an event
    match event.data:
        case SignIn() as command:
            return sign_in.decide_sign_in(account, command, rules)
        case FailPassword() as command:
            return sign_in.decide_wrong_password(account, command, rules)
        case SendEnrolmentCode() as command:
            return enrolment.decide_enrolment_code(account, command, rules)
        case Enrol() as command:
            return enrolment.decide_enrol(account, command, rules)
        case StartPairing() as command:
            return pairing.decide_start(account, command, rules)
        case DevicePaired() as paired:
            return pairing.decide_paired(account, paired, rules)
        case PairingFailed() as failed:
            return pairing.decide_failed(account, failed, event.time)
        case SendChallenge() as command:
            return challenges.decide_challenge(account, command, rules)
        case AuthResponse() as response:
            return challenges.decide_response(account, response, rules)
        case UseCode() as command:
            return codes.decide_code(account, command, rules)
        case UseRecoveryCode() as command:
            return codes.decide_recovery_code(account, command, rules)
        case FailCode() as command:
            return codes.decide_wrong_code(account, command, rules)
        case CancelLogin() as command:
            return sign_in.decide_cancel(account, command)
        case _:
            return _decide_administration(account, event, rules)


def _decide_administration(account: Account, event: Event[Message], rules: Rules) -> Decision[Account]:
    match event.data:
        case RemoveAccount() as command:
            return administration.decide_removal(account, command, rules)
        case SetEmail() as command:
            return administration.decide_email(account, command)
        case Invite() as command:
            return administration.decide_invitation(account, command)
        case ResetMethods() as command:
            return administration.decide_reset(account, command, rules)
        case _:
            return Decision(account)


def _decide_in_session(account: Account, command: SessionCommand, rules: Rules) -> Decision[Account]:  # noqa: PLR0911 - one line a command
    match command:
        case TouchSession():
            return sessions.decide_touch(account, command, rules)
        case EndSession():
            return sessions.decide_sign_out(account, command)
        case RevokeSession():
            return sessions.decide_revocation(account, command)
        case ForgetBrowser():
            return sessions.decide_forgetting(account, command)
        case Confirm():
            return confirmations.decide_confirmation(account, command, rules)
        case AddPhone():
            return confirmations.decide_further_phone(account, command, rules)
        case ChangePassword():
            return sessions.decide_password(account, command, rules)
        case AddApp() | ChoosePhone() | RenameMethod() | RemoveMethod() | MakeRecoveryCodes():
            return managing.decide_change(account, command, rules)
        case _:
            return Decision(account)
