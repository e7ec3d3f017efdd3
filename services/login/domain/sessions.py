"""Commands of a signed-in user on sessions, remembered browsers and the password, and logins within a session."""

from dataclasses import replace
from datetime import datetime

from schemas.login_messages import (
    AddPhone,
    ChangePassword,
    Confirm,
    EmailKind,
    EndSession,
    ForgetBrowser,
    RevokeSession,
    TouchSession,
)
from services.common.decisions import Decision
from services.login.domain.account import Account, Session
from services.login.domain.emails import email_due
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Limits
from services.login.domain.login import EndReason, Login, LoginKind, LoginState
from services.login.domain.pairing import MOST_PHONES
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection
from services.login.domain.sign_in import with_login_begun
from services.login.domain.withdrawals import withdrawn


def is_confirmed(session: Session, at: datetime, limits: Limits) -> bool:
    """Tell whether a session has a second factor that is recent enough for changes."""
    return session.confirmed_at is not None and at <= session.confirmed_at + limits.confirmation_lifetime


def touch(
    account: Account, session: Session, _command: TouchSession, at: datetime, policy: Policy
) -> Decision[Account]:
    """Extend a session's idle time."""
    return Decision(account.with_session(replace(session, idle_until=at + policy.limits.idle_lifetime)))


def sign_out(
    account: Account, _login: Login | None, command: EndSession, at: datetime, _policy: Policy
) -> Decision[Account]:
    """End a session; if it is already over, nothing changes."""
    session = account.session(command.session_digest, at)
    if session is None:
        return Decision(account)
    ended = account.with_history(HistoryKind.SIGNED_OUT, at, browser=session.browser)
    return _without_session(ended, command.session_digest, at)


def revoke(
    account: Account, _session: Session, command: RevokeSession, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Sign another browser out. This needs no second factor: it can only make the account safer."""
    other = account.session(command.revoked_digest, at)
    if other is None:
        return Decision(account)
    revoked = account.with_history(HistoryKind.SESSION_REVOKED, at, browser=other.browser)
    return _without_session(revoked, command.revoked_digest, at)


def forget_browser(
    account: Account, _session: Session, command: ForgetBrowser, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Forget a remembered browser."""
    gone = next((each for each in account.remembered if each.digest == command.remembered_digest), None)
    if gone is None:
        return Decision(account)
    left = replace(account, remembered=tuple(each for each in account.remembered if each is not gone))
    return Decision(left.with_history(HistoryKind.BROWSER_FORGOTTEN, at, browser=gone.browser))


def change_password(
    account: Account, session: Session, command: ChangePassword, at: datetime, _policy: Policy
) -> Decision[Account]:
    """Change the password, sign out and forget all other browsers, and allow challenges again after a report.

    Logins that began with the old password in other browsers end, too.
    """
    if command.old_password_hash != account.password_hash:
        return Decision(account, outcome=Rejection.PASSWORD_CHANGED)
    was_locked = account.push.reported is not None
    ended = tuple(each for each in account.logins if each.session_digest != session.session_digest)
    unlocked = replace(account, push=replace(account.push, reported=None)).with_denials_cleared()
    changed = replace(unlocked, password_hash=command.password_hash, sessions=(session,), remembered=())
    changed = replace(changed, one_time_password=False)
    changed = changed.with_ended(ended, EndReason.CANCELLED, at)
    changed = changed.with_history(HistoryKind.PASSWORD_CHANGED, at, browser=session.browser)
    if was_locked:
        changed = changed.with_history(HistoryKind.PUSH_UNLOCKED, at, browser=session.browser)
    email = email_due(account, EmailKind.PASSWORD_CHANGED, at, session.browser)
    return Decision(changed, (*withdrawn(ended, at), *email))


def confirm(account: Account, _session: Session, command: Confirm, at: datetime, policy: Policy) -> Decision[Account]:
    """Begin a confirmation: a login for this session only."""
    if not account.enrolled:
        return Decision(account, outcome=Rejection.NO_SESSION)
    return _begin(account, command, at, LoginKind.CONFIRM, at + policy.limits.login_lifetime)


def add_phone(account: Account, session: Session, command: AddPhone, at: datetime, policy: Policy) -> Decision[Account]:
    """Begin to pair a further phone, which must be paired while the confirmation lasts."""
    if account.login(command.login_id) is None and len(account.devices) >= MOST_PHONES:
        return Decision(account, outcome=Rejection.TOO_MANY_METHODS)
    limits = policy.limits
    end = (session.confirmed_at or at) + limits.confirmation_lifetime
    return _begin(account, command, at, LoginKind.ADD_PHONE, min(end, at + limits.login_lifetime))


def _begin(
    account: Account, command: Confirm | AddPhone, at: datetime, kind: LoginKind, expires_at: datetime
) -> Decision[Account]:
    if account.login(command.login_id) is not None:
        return Decision(account)
    login = Login(
        login_id=command.login_id,
        login_digest=command.login_digest,
        session_digest=command.session_digest,
        browser=command.browser,
        kind=kind,
        state=LoginState.READY if kind is LoginKind.CONFIRM else LoginState.NEEDS_PHONE,
        started_at=at,
        expires_at=expires_at,
    )
    begun, evicted = with_login_begun(account, login)
    return Decision(begun, withdrawn(evicted, at))


def _without_session(account: Account, session_digest: str, at: datetime) -> Decision[Account]:
    """Remove a session, the login that opened it, and the logins within it, so that its cookies are void."""
    ended = tuple(each for each in account.logins if each.session_digest == session_digest)
    left = replace(
        account,
        sessions=tuple(each for each in account.sessions if each.session_digest != session_digest),
        logins=tuple(each for each in account.logins if each not in ended),
    )
    return Decision(left, withdrawn(ended, at))
