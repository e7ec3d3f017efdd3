"""The login service's row: an account with its methods, logins, sessions and history."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from schemas.base import Browser, Digest, Identifier, Model, Moment, Text
from services.common.decisions import Row
from services.login.domain.history import HistoryEntry, Method
from services.login.domain.login import EndReason, Login, LoginState
from services.login.domain.methods import AuthenticatorApp, Device, RecoveryCodes


class Session(Model):
    """A browser that is signed in.

    Attributes:
        session_digest: SHA-256 of its token.
        browser: Where.
        started_at: When.
        expires_at: When it ends whatever is done in it.
        idle_until: When it ends unless something is done in it before.
        confirmed_at: When the second factor was last given in it; changes need that to be fresh.
        method: By what it was opened.

    """

    session_digest: Digest
    browser: Browser
    started_at: Moment
    expires_at: Moment
    idle_until: Moment
    confirmed_at: Moment | None = None
    method: Method = Method.PUSH

    def open_at(self, at: datetime) -> bool:
        """Tell whether it is still open at a time."""
        return at <= min(self.expires_at, self.idle_until)


class RememberedBrowser(Model):
    """A browser that signs in by the password alone for a while.

    Attributes:
        digest: SHA-256 of the token that it keeps.

    """

    digest: Digest
    browser: Browser
    since: Moment
    expires_at: Moment


class Invitation(Model):
    """An enrolment code that an administrator handed out."""

    digest: Digest
    expires_at: Moment


class Reported(Model):
    """What was known of a sign-in that was answered with "It wasn't me"."""

    browser: Browser
    started_at: Moment
    at: Moment


class Push(Model):
    """How an account's phones may be asked.

    Attributes:
        sent: When the last requests were sent, oldest first.
        denials: How many in a row were denied, answered with a wrong number, or not answered.
        last_denial_at: When the last of them was.
        reported: Since when no request is sent at all, and why; None while requests are sent.

    """

    sent: tuple[Moment, ...] = ()
    denials: int = 0
    last_denial_at: Moment | None = None
    reported: Reported | None = None


class Account(Row):
    """An account.

    Attributes:
        account_id: The sign-in name in its canonical form; the row's key.
        display_name: The name as its owner typed it.
        email: Where emails go; empty if nowhere.
        password_hash: Argon2id, PHC string format.
        created_at: When it was made.
        removed_at: When it was removed. The row stays, so that a stale record cannot bring the account back.
        invitation: The enrolment code that is open.
        enrolment_mails: When enrolment codes were sent by e-mail lately.
        devices: The paired phones; the first one is asked.
        apps: The authenticator apps.
        recovery: The recovery codes.
        push: How the phones may be asked.
        wrong_codes: How many codes in a row were wrong.
        codes_paused_until: No code is taken before.
        logins: Those that wait, and those that ended lately, oldest first.
        sessions: The browsers that are signed in, oldest first.
        remembered: The browsers that sign in by the password alone.
        known_browsers: The browsers, by the digest of their own token, in which sign-ins were completed; newest last.
        history: The last happenings, oldest first.
        wrong_passwords: How many in a row, none of them long after the one before.
        wrong_password_at: When the last one was.
        locked_until: No password is taken before.
        pairing_tries: How many phrases were entered in a row without a phone being paired.
        pairing_paused_until: No phrase is taken before.

    """

    account_id: Identifier
    display_name: Text
    email: Text = ""
    password_hash: Text = Field(repr=False)
    created_at: Moment
    removed_at: Moment | None = None
    invitation: Invitation | None = None
    enrolment_mails: tuple[Moment, ...] = ()
    devices: tuple[Device, ...] = ()
    apps: tuple[AuthenticatorApp, ...] = ()
    recovery: RecoveryCodes | None = None
    push: Push = Push()
    wrong_codes: int = 0
    codes_paused_until: Moment | None = None
    logins: tuple[Login, ...] = ()
    sessions: tuple[Session, ...] = ()
    remembered: tuple[RememberedBrowser, ...] = ()
    known_browsers: tuple[Digest, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    wrong_passwords: int = 0
    wrong_password_at: Moment | None = None
    locked_until: Moment | None = None
    pairing_tries: int = 0
    pairing_paused_until: Moment | None = None

    @property
    def password_change_due(self) -> bool:
        """True from a report until the password was changed."""
        return self.push.reported is not None

    @property
    def enrolled(self) -> bool:
        """True where a second factor is there."""
        return bool(self.devices or self.apps)

    @property
    def methods(self) -> tuple[Device | AuthenticatorApp, ...]:
        """What makes codes: the phones, then the apps."""
        return (*self.devices, *self.apps)

    def login(self, login_id: str) -> Login | None:
        """Return the login of this id, or None."""
        return next((each for each in self.logins if each.login_id == login_id), None)

    def login_by_digest(self, login_digest: str) -> Login | None:
        """Return the login that waits in the browser whose token has this digest, or None."""
        return next((each for each in self.logins if each.login_digest == login_digest), None)

    def session(self, session_digest: str, at: datetime) -> Session | None:
        """Return the session whose token has this digest, if it is still open at a time."""
        found = next((each for each in self.sessions if each.session_digest == session_digest), None)
        return found if found and found.open_at(at) else None

    def device(self, device_id: str) -> Device | None:
        """Return a paired phone, or None."""
        return next((each for each in self.devices if each.device_id == device_id), None)

    def method(self, method_id: str) -> Device | AuthenticatorApp | None:
        """Return a phone or an app by its name among the methods, or None."""
        return next((each for each in self.methods if each.method_id == method_id), None)

    def open_challenge(self) -> Login | None:
        """Return the login whose request is open, or None (the row being settled)."""
        return next((each for each in self.logins if each.state is LoginState.CHALLENGED), None)

    def with_login(self, login: Login) -> "Account":
        """Return the account with a login changed or added."""
        if self.login(login.login_id) is None:
            return self.model_copy(update={"logins": (*self.logins, login)})
        logins = tuple(login if each.login_id == login.login_id else each for each in self.logins)
        return self.model_copy(update={"logins": logins})

    def with_ended(self, logins: Iterable[Login], reason: EndReason, at: datetime) -> "Account":
        """Return the account with some of its logins ended; those that are over stay as they are."""
        ended = self
        for login in logins:
            if not login.over:
                ended = ended.with_login(login.ended(reason, at))
        return ended

    def with_method(self, method: Device | AuthenticatorApp) -> "Account":
        """Return the account with a phone or an app changed (nothing is added)."""
        changes = {
            "devices": tuple(method if each.method_id == method.method_id else each for each in self.devices),
            "apps": tuple(method if each.method_id == method.method_id else each for each in self.apps),
        }
        return self.model_copy(update=changes)

    def with_session(self, session: Session) -> "Account":
        """Return the account with a session changed (nothing is added)."""
        sessions = tuple(session if each.session_digest == session.session_digest else each for each in self.sessions)
        return self.model_copy(update={"sessions": sessions})
