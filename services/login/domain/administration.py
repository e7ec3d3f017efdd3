"""Administrators' commands: open, rename, invite, reset and remove accounts."""

from dataclasses import replace
from datetime import datetime

from schemas.login_messages import (
    ChangeName,
    EmailKind,
    Invite,
    OpenAccount,
    ReleaseName,
    RemoveAccount,
    ResetMethods,
    SetEmail,
    SetPassword,
)
from services.common.decisions import OK, Decision
from services.login.domain.account import Account, Invitation
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, Login
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import unpaired, withdrawn


def settle_name(
    row: Account | None, command: OpenAccount | ChangeName | RemoveAccount, at: datetime
) -> Decision[Account]:
    """Open or rename the account that has claimed a name.

    A renamed account releases its old name. An account that is removed, even before it was opened, releases the
    claimed one.
    """
    if row is None and isinstance(command, OpenAccount):
        return Decision(_opened(command, at).with_history(HistoryKind.ACCOUNT_CREATED, at))
    if row is not None and row.name_digest == command.name_digest:
        return Decision(row)
    if row is not None and row.name_digest is not None and isinstance(command, ChangeName):
        renamed = replace(row, name=command.name, name_digest=command.name_digest)
        return Decision(renamed, _released(row.account_id, row.name_digest, at))
    left = row or _removed(command.account_id, at, at)
    outcome = OK if isinstance(command, RemoveAccount) else Rejection.UNKNOWN_ACCOUNT
    return Decision(left, _released(left.account_id, command.name_digest, at), outcome)


def remove(
    account: Account, _login: Login | None, command: RemoveAccount, at: datetime, policy: Policy
) -> Decision[Account]:
    """Remove an account with all its data; the row keeps only the id and the time."""
    removed = replace(_removed(account.account_id, account.created_at, at), dropped=account.stored_history)
    events = (
        *withdrawn(account.logins, at),
        *unpaired(account.account_id, account.devices, at, policy.signer),
        *_released(account.account_id, account.name_digest or command.name_digest, at),
    )
    return Decision(removed, events)


def set_email(
    account: Account, _login: Login | None, command: SetEmail, _at: datetime, _policy: Policy
) -> Decision[Account]:
    """Change the address for e-mails."""
    return Decision(replace(account, email=command.email))


def invite(account: Account, _login: Login | None, command: Invite, at: datetime, _policy: Policy) -> Decision[Account]:
    """Set the enrolment code that admits to the first pairing."""
    invitation = Invitation(digest=command.invitation_digest, expires_at=command.expires_at)
    return Decision(replace(account, invitation=invitation).with_history(HistoryKind.INVITED, at))


def set_password(
    account: Account, _login: Login | None, command: SetPassword, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Set a password that is to be changed at the next sign-in; all logins and sessions end, all limits are cleared."""
    ended = account.with_ended(account.logins, EndReason.CANCELLED, at).with_denials_cleared().with_attempts_cleared()
    changed = replace(
        ended,
        password_hash=command.password_hash,
        one_time_password=True,
        push=replace(ended.push, reported=None),
        sessions=(),
        remembered=(),
    )
    events = (*withdrawn(account.logins, at), *email_due(account, EmailKind.PASSWORD_SET, at))
    return Decision(changed.with_history(HistoryKind.PASSWORD_SET, at), events)


def reset(
    account: Account, _login: Login | None, _command: ResetMethods, at: datetime, policy: Policy
) -> Decision[Account]:
    """Remove all methods, and end all logins and sessions; the next sign-in enrols again.

    A report stays, because the password is still compromised.
    """
    ended = account.with_ended(account.logins, EndReason.CANCELLED, at).with_denials_cleared()
    without = replace(
        ended,
        devices=(),
        apps=(),
        recovery=None,
        sessions=(),
        remembered=(),
        phrases=ended.phrases.succeeded(),
    ).with_attempts_cleared()
    events = (
        *withdrawn(account.logins, at),
        *unpaired(account.account_id, account.devices, at, policy.signer),
        *email_due(account, EmailKind.METHODS_RESET, at),
    )
    return Decision(without.with_history(HistoryKind.METHODS_RESET, at), events)


def _opened(opening: OpenAccount, at: datetime) -> Account:
    return Account(
        account_id=opening.account_id,
        name=opening.name,
        name_digest=opening.name_digest,
        display_name=opening.display_name,
        email=opening.email,
        password_hash=opening.password_hash,
        created_at=at,
    )


def _removed(account_id: str, created_at: datetime, at: datetime) -> Account:
    return Account(
        account_id=account_id,
        name="",
        display_name="",
        password_hash="",
        created_at=created_at,
        removed_at=at,
    )


def _released(account_id: str, name_digest: str, at: datetime) -> tuple[ReleaseName, ...]:
    return (ReleaseName(name_digest=name_digest, account_id=account_id, at=at),)
