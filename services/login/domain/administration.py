"""Administrators' commands: create, invite, reset and remove accounts."""

from dataclasses import replace
from datetime import datetime

from schemas.login_messages import CreateAccount, EmailKind, Invite, RemoveAccount, ResetMethods, SetEmail, SetPassword
from services.common.decisions import Decision
from services.login.domain.account import Account, Invitation
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, Login
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import unpaired, withdrawn


def create(row: Account | None, command: CreateAccount, at: datetime) -> Decision[Account]:
    """Create an account, if the name is free."""
    if row is not None and row.removed_at is None:
        return Decision(row, outcome=Rejection.ACCOUNT_EXISTS)
    account = Account(
        account_id=command.account_id,
        display_name=command.display_name,
        email=command.email,
        password_hash=command.password_hash,
        created_at=at,
    )
    return Decision(account.with_history(HistoryKind.ACCOUNT_CREATED, at))


def remove(
    account: Account, _login: Login | None, _command: RemoveAccount, at: datetime, policy: Policy
) -> Decision[Account]:
    """Remove an account with all its data; the row keeps only the name and the time."""
    removed = Account(
        account_id=account.account_id,
        display_name="",
        password_hash="",
        created_at=account.created_at,
        removed_at=at,
        dropped=account.stored_history,
    )
    withdrawals = withdrawn(account.logins, at)
    return Decision(removed, (*withdrawals, *unpaired(account.account_id, account.devices, at, policy.signer)))


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
