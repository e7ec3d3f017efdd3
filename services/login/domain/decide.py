"""Which rule decides which event."""

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse, DevicePaired, PairingFailed, Purpose
from schemas.login_commands import (
    CancelLogin,
    CreateAccount,
    EndSession,
    FailPassword,
    RemoveAccount,
    SendPrompt,
    SignIn,
    StartPairing,
)
from services.common.decisions import Decision
from services.login.domain import accounts, pairing, prompts, sign_in
from services.login.domain.rows import Account
from services.login.domain.rules import Refused, Rules


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
        return accounts.decide_creation(row, event.data)
    if isinstance(event.data, AuthResponse) and event.data.purpose is not Purpose.LOGIN:
        return Decision(row)
    if row is None or row.removed_at is not None:
        return Decision(row, outcome=Refused.UNKNOWN_ACCOUNT)
    return _decide_existing(row, event, rules)


def _decide_existing(account: Account, event: Event[Message], rules: Rules) -> Decision[Account]:  # noqa: C901, PLR0911 - one line an event
    match event.data:
        case RemoveAccount() as command:
            return accounts.decide_removal(account, command)
        case SignIn() as command:
            return sign_in.decide_sign_in(account, command, rules)
        case FailPassword() as command:
            return sign_in.decide_wrong_password(account, command, rules)
        case StartPairing() as command:
            return pairing.decide_start(account, command, rules)
        case DevicePaired() as paired:
            return pairing.decide_paired(account, paired, rules)
        case PairingFailed() as failed:
            return pairing.decide_failed(account, failed, event.time)
        case SendPrompt() as command:
            return prompts.decide_prompt(account, command, rules)
        case AuthResponse() as response:
            return prompts.decide_response(account, response, rules)
        case CancelLogin() as command:
            return sign_in.decide_cancel(account, command)
        case EndSession() as command:
            return accounts.decide_sign_out(account, command)
        case _:
            return Decision(account)
