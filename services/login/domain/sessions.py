"""What somebody who is signed in does with their sessions, their browsers and their password."""

from datetime import datetime

from schemas.login_notices import EmailKind
from schemas.login_sessions import (
    ChangePassword,
    EndSession,
    ForgetBrowser,
    RevokeSession,
    SessionCommand,
    TouchSession,
)
from services.common.decisions import Decision
from services.login.domain.account import Account, Session
from services.login.domain.emails import email_due
from services.login.domain.expire import expire, with_history
from services.login.domain.history import HistoryKind
from services.login.domain.limits import Rejection, Rules
from services.login.domain.login import EndReason
from services.login.domain.push import unlocked
from services.login.domain.withdrawals import withdrawn


def is_confirmed(session: Session, at: datetime, rules: Rules) -> bool:
    """Tell whether the second factor was given lately enough in a session for changes to be taken from it."""
    return session.confirmed_at is not None and at <= session.confirmed_at + rules.confirmation_lifetime


def confirmed_session(account: Account, command: SessionCommand, rules: Rules) -> Session | Rejection:
    """Return the session that a change comes from, or why it takes none from it.

    Args:
        account: The account, settled.
        command: The change.
        rules: How long a confirmation lasts.

    """
    session = account.session(command.session_digest, command.at)
    if session is None:
        return Rejection.NO_SESSION
    return session if is_confirmed(session, command.at, rules) else Rejection.NOT_CONFIRMED


def decide_touch(account: Account, command: TouchSession, rules: Rules) -> Decision[Account]:
    """Keep a session from falling idle."""
    settled = expire(account, command.at)
    session = settled.session(command.session_digest, command.at)
    if session is None:
        return Decision(settled, outcome=Rejection.NO_SESSION)
    touched = session.model_copy(update={"idle_until": command.at + rules.idle_lifetime})
    return Decision(settled.with_session(touched))


def decide_sign_out(account: Account, command: EndSession) -> Decision[Account]:
    """End a session; one that is gone already stays gone."""
    settled = expire(account, command.at)
    session = settled.session(command.session_digest, command.at)
    if session is None:
        return Decision(settled)
    told = with_history(settled, HistoryKind.SIGNED_OUT, command.at, browser=session.browser)
    return _without(told, command.session_digest, command.at)


def decide_revocation(account: Account, command: RevokeSession) -> Decision[Account]:
    """Sign another browser out. No second factor is asked for: it can only make the account safer."""
    settled = expire(account, command.at)
    if settled.session(command.session_digest, command.at) is None:
        return Decision(settled, outcome=Rejection.NO_SESSION)
    other = settled.session(command.revoked_digest, command.at)
    if other is None:
        return Decision(settled)
    told = with_history(settled, HistoryKind.SESSION_REVOKED, command.at, browser=other.browser)
    return _without(told, command.revoked_digest, command.at)


def decide_forgetting(account: Account, command: ForgetBrowser) -> Decision[Account]:
    """Remember a browser no more."""
    settled = expire(account, command.at)
    if settled.session(command.session_digest, command.at) is None:
        return Decision(settled, outcome=Rejection.NO_SESSION)
    gone = next((each for each in settled.remembered if each.digest == command.remembered_digest), None)
    if gone is None:
        return Decision(settled)
    left = tuple(each for each in settled.remembered if each is not gone)
    forgotten = settled.model_copy(update={"remembered": left})
    return Decision(with_history(forgotten, HistoryKind.BROWSER_FORGOTTEN, command.at, browser=gone.browser))


def decide_password(account: Account, command: ChangePassword, rules: Rules) -> Decision[Account]:
    """Take another password; every other browser is signed out and forgotten, and the phones may be asked again.

    Logins that others began by the old password end, too: who knew it gets no further by it.
    """
    settled = expire(account, command.at)
    session = confirmed_session(settled, command, rules)
    if isinstance(session, Rejection):
        return Decision(settled, outcome=session)
    if command.old_password_hash != settled.password_hash:
        return Decision(settled, outcome=Rejection.PASSWORD_CHANGED)
    was_locked = settled.push.reported is not None
    leaving = tuple(each for each in settled.logins if each.session_digest != session.session_digest)
    changes = {"password_hash": command.password_hash, "sessions": (session,), "remembered": ()}
    changed = unlocked(settled).model_copy(update=changes).with_ended(leaving, EndReason.CANCELLED, command.at)
    told = with_history(changed, HistoryKind.PASSWORD_CHANGED, command.at, browser=session.browser)
    if was_locked:
        told = with_history(told, HistoryKind.PUSH_UNLOCKED, command.at, browser=session.browser)
    mail = email_due(settled, EmailKind.PASSWORD_CHANGED, command.at, session.browser)
    return Decision(told, (*withdrawn(leaving, command.at), *mail))


def _without(account: Account, session_digest: str, at: datetime) -> Decision[Account]:
    """Return the account without a session, without the login that opened it, and without those that were for it.

    So its cookie opens it no more, and no phone is asked for it any more.
    """
    leaving = tuple(each for each in account.logins if each.session_digest == session_digest)
    changes = {
        "sessions": tuple(each for each in account.sessions if each.session_digest != session_digest),
        "logins": tuple(each for each in account.logins if each not in leaving),
    }
    return Decision(account.model_copy(update=changes), withdrawn(leaving, at))
