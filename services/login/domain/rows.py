"""The login service's rows: an account with its phones, logins, sessions and history."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from schemas.base import Browser, Digest, Identifier, Model, Moment, Text
from schemas.contract import PairingFailure
from services.common.decisions import Row


class Device(Model):
    """A paired phone."""

    device_id: Digest
    name: Text
    pairing_id: Identifier
    paired_at: Moment


class LoginState(StrEnum):
    """Where a login stands.

    NEEDS_PHONE: no phone is paired; the person is to pair one. PAIRING: a phrase was entered. PAIRED: the phone was
    paired in this login, and OK is to be clicked. READY: a request can be sent to the phone. PROMPTED: it was sent.
    APPROVED: the session is open. ENDED: see the reason.
    """

    NEEDS_PHONE = "needs_phone"
    PAIRING = "pairing"
    PAIRED = "paired"
    READY = "ready"
    PROMPTED = "prompted"
    APPROVED = "approved"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a login ended without a session."""

    DENIED = "denied"
    REPORTED = "reported"
    REPORTED_ELSEWHERE = "reported_elsewhere"
    NOT_ANSWERED = "not_answered"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


class PairingAttempt(Model):
    """A phrase that was entered.

    Attributes:
        phrase_digest: HMAC-SHA256 of the phrase.
        failure: Why the attempt came to nothing; None while it waits.

    """

    pairing_id: Identifier
    phrase_digest: Digest
    started_at: Moment
    expires_at: Moment
    failure: PairingFailure | None = None


class Prompt(Model):
    """An authentication request that was sent to a phone."""

    challenge_id: Identifier
    device_id: Digest
    device_name: Text
    issued_at: Moment
    expires_at: Moment


class Login(Model):
    """A login whose password was right.

    Attributes:
        login_id: Its name.
        login_digest: SHA-256 of the token that only the browser has in which it waits.
        session_digest: SHA-256 of the session's token, once approved.
        browser: Where it waits.
        state: Where it stands.
        started_at: When the password was entered.
        expires_at: When it ends by itself.
        pairing: The last phrase that was entered in it.
        prompt: The last request that was sent for it.
        end_reason: Why it ended.
        ended_at: When it ended or was approved.

    """

    login_id: Identifier
    login_digest: Digest
    session_digest: Digest
    browser: Browser
    state: LoginState
    started_at: Moment
    expires_at: Moment
    pairing: PairingAttempt | None = None
    prompt: Prompt | None = None
    end_reason: EndReason | None = None
    ended_at: Moment | None = None

    @property
    def over(self) -> bool:
        """True once it is approved or ended."""
        return self.state in {LoginState.APPROVED, LoginState.ENDED}

    def ended(self, reason: EndReason, at: datetime) -> "Login":
        """Return it as ended."""
        return self.model_copy(update={"state": LoginState.ENDED, "end_reason": reason, "ended_at": at})


class Session(Model):
    """A browser that is signed in."""

    session_digest: Digest
    browser: Browser
    started_at: Moment
    expires_at: Moment


class Happening(StrEnum):
    """What an account's history tells."""

    ACCOUNT_CREATED = "account_created"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a happening
    PAUSED = "paused"
    LOGIN_DENIED = "login_denied"
    LOGIN_REPORTED = "login_reported"
    LOGIN_NOT_ANSWERED = "login_not_answered"
    PHONE_PAIRED = "phone_paired"
    PAIRING_DECLINED = "pairing_declined"


class HistoryEntry(Model):
    """Something that happened, for the account's owner to read."""

    what: Happening
    at: Moment
    browser: Browser | None = None
    device_name: Text = ""


class Account(Row):
    """An account.

    Attributes:
        account_id: The sign-in name in its canonical form; the row's key.
        display_name: The name as its owner typed it.
        password_hash: Argon2id, PHC string format.
        created_at: When it was made.
        removed_at: When it was removed. The row stays, so that a stale record cannot bring the account back.
        devices: The paired phones; the first one is asked.
        logins: Those that wait, and those that ended lately, oldest first.
        sessions: The browsers that are signed in, oldest first.
        history: The last happenings, oldest first.
        wrong_passwords: How many in a row.
        locked_until: No password is taken before.
        pairing_tries: How many phrases were entered in a row without a phone being paired.
        pairing_paused_until: No phrase is taken before.

    """

    account_id: Identifier
    display_name: Text
    password_hash: Text = Field(repr=False)
    created_at: Moment
    removed_at: Moment | None = None
    devices: tuple[Device, ...] = ()
    logins: tuple[Login, ...] = ()
    sessions: tuple[Session, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    wrong_passwords: int = 0
    locked_until: Moment | None = None
    pairing_tries: int = 0
    pairing_paused_until: Moment | None = None

    def login(self, login_id: str) -> Login | None:
        """Return the login of this id, or None."""
        return next((each for each in self.logins if each.login_id == login_id), None)

    def login_by_digest(self, login_digest: str) -> Login | None:
        """Return the login that waits in the browser whose token has this digest, or None."""
        return next((each for each in self.logins if each.login_digest == login_digest), None)

    def session(self, session_digest: str, at: datetime) -> Session | None:
        """Return the session whose token has this digest, if it is still open at a time."""
        found = next((each for each in self.sessions if each.session_digest == session_digest), None)
        return found if found and at <= found.expires_at else None

    def device(self, device_id: str) -> Device | None:
        """Return a paired phone, or None."""
        return next((each for each in self.devices if each.device_id == device_id), None)

    def open_prompt(self) -> Login | None:
        """Return the login whose request is open, or None (the row being settled)."""
        return next((each for each in self.logins if each.state is LoginState.PROMPTED), None)

    def with_login(self, login: Login) -> "Account":
        """Return the account with a login changed or added."""
        if self.login(login.login_id) is None:
            return self.model_copy(update={"logins": (*self.logins, login)})
        logins = tuple(login if each.login_id == login.login_id else each for each in self.logins)
        return self.model_copy(update={"logins": logins})
