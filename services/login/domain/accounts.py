"""Accounts as such: made, and signed out of."""

from schemas.contract import ChallengeWithdrawn, DeviceUnpaired
from schemas.login_commands import CreateAccount, EndSession, RemoveAccount
from services.common.decisions import Decision
from services.login.domain.pairing import pairing_withdrawals
from services.login.domain.rows import Account, Happening, HistoryEntry
from services.login.domain.rules import Refused
from services.login.domain.settle import MOST_HISTORY, settle

REMOVED = "removed"


def decide_creation(row: Account | None, command: CreateAccount) -> Decision[Account]:
    """Make an account, if the name is free."""
    if row is not None and row.removed_at is None:
        return Decision(row, outcome=Refused.ACCOUNT_EXISTS)
    account = Account(
        account_id=command.account_id,
        display_name=command.display_name,
        password_hash=command.password_hash,
        created_at=command.at,
        history=(HistoryEntry(what=Happening.ACCOUNT_CREATED, at=command.at),),
    )
    return Decision(account)


def decide_removal(account: Account, command: RemoveAccount) -> Decision[Account]:
    """Remove an account with all it has; only its name and the fact stay."""
    removed = Account(
        account_id=account.account_id,
        display_name="",
        password_hash="",
        created_at=account.created_at,
        removed_at=command.at,
    )
    unpaired = tuple(
        DeviceUnpaired(
            account_id=account.account_id, device_id=device.device_id, pairing_id=device.pairing_id, reason=REMOVED
        )
        for device in account.devices
    )
    withdrawn = (*withdrawals(account), *pairing_withdrawals(account.logins, command.at))
    return Decision(removed, (*withdrawn, *unpaired))


def withdrawals(account: Account) -> tuple[ChallengeWithdrawn, ...]:
    """Return what takes an account's open request back from the phone, if there is one."""
    login = account.open_prompt()
    if login is None or login.prompt is None:
        return ()
    return (ChallengeWithdrawn(challenge_id=login.prompt.challenge_id, device_id=login.prompt.device_id),)


def decide_sign_out(account: Account, command: EndSession) -> Decision[Account]:
    """End a session; one that is gone already stays gone."""
    settled = settle(account, command.at)
    session = settled.session(command.session_digest, command.at)
    if session is None:
        return Decision(settled)
    entry = HistoryEntry(what=Happening.SIGNED_OUT, at=command.at, browser=session.browser)
    return Decision(
        settled.model_copy(
            update={
                "sessions": tuple(each for each in settled.sessions if each is not session),
                "history": (*settled.history, entry)[-MOST_HISTORY:],
                "logins": tuple(each for each in settled.logins if each.session_digest != command.session_digest),
            }
        )
    )
