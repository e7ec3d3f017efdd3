"""Accounts as an administrator sees them: made, invited, reset, removed."""

from schemas.login_administration import CreateAccount, Invite, RemoveAccount, ResetMethods, SetEmail
from schemas.login_notices import EmailKind
from services.common.decisions import Decision
from services.login.domain.account import Account, Invitation
from services.login.domain.emails import email_due
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryEntry, HistoryKind
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import EndReason
from services.login.domain.push import clear_denials
from services.login.domain.unpairing import unpaired
from services.login.domain.withdrawals import withdrawn


def decide_creation(row: Account | None, command: CreateAccount) -> Decision[Account]:
    """Make an account, if the name is free."""
    if row is not None and row.removed_at is None:
        return Decision(row, outcome=Rejection.ACCOUNT_EXISTS)
    account = Account(
        account_id=command.account_id,
        display_name=command.display_name,
        email=command.email,
        password_hash=command.password_hash,
        created_at=command.at,
        history=(HistoryEntry(what=HistoryKind.ACCOUNT_CREATED, at=command.at),),
    )
    return Decision(account)


def decide_removal(account: Account, command: RemoveAccount, rules: Rules) -> Decision[Account]:
    """Remove an account with all it has; only its name and the fact stay."""
    removed = Account(
        account_id=account.account_id,
        display_name="",
        password_hash="",
        created_at=account.created_at,
        removed_at=command.at,
    )
    taken_back = withdrawn(account.logins, command.at)
    return Decision(removed, (*taken_back, *unpaired(account.account_id, account.devices, command.at, rules)))


def decide_email(account: Account, command: SetEmail) -> Decision[Account]:
    """Send emails to another address."""
    return Decision(account.model_copy(update={"email": command.email}))


def decide_invitation(account: Account, command: Invite) -> Decision[Account]:
    """Let a code admit to the first pairing."""
    invitation = Invitation(digest=command.invitation_digest, expires_at=command.expires_at)
    invited = expire(account, command.at).model_copy(update={"invitation": invitation})
    return Decision(with_history(invited, HistoryKind.INVITED, command.at))


def decide_reset(account: Account, command: ResetMethods, rules: Rules) -> Decision[Account]:
    """Remove all methods and end all that was begun with them: the next sign-in enrols anew.

    A report stays: whoever knows the password still does, and the new phones are to be left in peace, too.
    """
    settled = expire(account, command.at)
    ended = settled.with_ended(settled.logins, EndReason.CANCELLED, command.at)
    changes = {
        "devices": (),
        "apps": (),
        "recovery": None,
        "sessions": (),
        "remembered": (),
        "wrong_codes": 0,
        "codes_paused_until": None,
        "pairing_tries": 0,
        "pairing_paused_until": None,
    }
    reset = clear_denials(ended).model_copy(update=changes)
    events = (
        *withdrawn(settled.logins, command.at),
        *unpaired(account.account_id, settled.devices, command.at, rules),
        *email_due(settled, EmailKind.METHODS_RESET, command.at),
    )
    return Decision(with_history(reset, HistoryKind.METHODS_RESET, command.at), events)
