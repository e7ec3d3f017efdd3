"""A login as the account's row knows it: from the right password to its end.

What moves it:

```mermaid
stateDiagram-v2
    [*] --> needs_enrolment: SignIn
    [*] --> needs_phone: SignIn, AddPhone
    [*] --> ready: SignIn, Confirm
    [*] --> challenged: SignIn
    [*] --> approved: SignIn
    needs_enrolment --> needs_phone: Enrol
    needs_enrolment --> ready: DevicePaired
    needs_phone --> pairing: StartPairing
    needs_phone --> ready: DevicePaired
    pairing --> paired: DevicePaired
    pairing --> ready: DevicePaired
    paired --> challenged: SendChallenge
    paired --> ready: SendChallenge
    paired --> approved: SendChallenge
    ready --> challenged: SendChallenge
    ready --> approved: UseCode, UseRecoveryCode
    challenged --> approved: AuthResponse, UseCode, UseRecoveryCode
    challenged --> ended: AuthResponse, RemoveMethod
    any_open --> ended: AuthResponse, CancelLogin, ChangePassword, ResetMethods, SignIn, time
```

A sign-in begins where its account stands: without a phone, with one, or in a browser that is remembered; `challenged`
where a phone is asked at once. `any_open` is each state but `approved` and `ended`. A phone that is paired in one login
sends the account's others, which look for a phone, to `ready`: they have to ask it. A report, a reset or a new password
ends all; a further sign-in ends the oldest, or what the same browser began before.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from schemas.base import Browser, Digest, Identifier, Moment, Text
from schemas.contract import PairingFailure
from services.login.domain.history import Method


class LoginKind(StrEnum):
    """What a login is for.

    SIGN_IN: a session. CONFIRM: a session that exists asks for the second factor again, before changes.
    ADD_PHONE: a session that confirmed itself pairs a further phone.
    """

    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    ADD_PHONE = "add_phone"


class LoginState(StrEnum):
    """Where a login stands.

    NEEDS_ENROLMENT: no method is there, and more than the password is needed to pair the first phone. NEEDS_PHONE: a
    phone is to be paired. PAIRING: a phrase was entered. PAIRED: the phone was paired in this login, and OK is to be
    clicked. READY: a challenge can be sent to the phone, or a code entered. CHALLENGED: it was sent.
    APPROVED: it did what it was for. ENDED: see the reason.
    """

    NEEDS_ENROLMENT = "needs_enrolment"
    NEEDS_PHONE = "needs_phone"
    PAIRING = "pairing"
    PAIRED = "paired"
    READY = "ready"
    CHALLENGED = "challenged"
    APPROVED = "approved"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a login ended without a session."""

    DENIED = "denied"
    WRONG_NUMBER = "wrong_number"
    REPORTED = "reported"
    REPORTED_ELSEWHERE = "reported_elsewhere"
    NOT_ANSWERED = "not_answered"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingAttempt:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginChallenge:
    """An authentication request that was sent to a phone."""

    challenge_id: Identifier
    device_id: Digest
    device_name: Text
    issued_at: Moment
    expires_at: Moment
    number_matching: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login whose password was right, or a session's wish to confirm itself.

    Attributes:
        login_id: Its name.
        login_digest: SHA-256 of the token that only the browser has in which it waits.
        session_digest: SHA-256 of the session's token: the one that it opens, or the one that it is for.
        browser: Where it waits.
        browser_digest: SHA-256 of that browser's own token.
        kind: What it is for.
        state: Where it stands.
        started_at: When the password was entered.
        expires_at: When it ends by itself.
        remember_digest: SHA-256 of the token by which the browser will be remembered; None if that is not wished.
        enrolment_id: The enrolment code that was sent by e-mail, if one was.
        pairing: The last phrase that was entered in it.
        challenge: The last request that was sent for it.
        method: By what it was approved.
        end_reason: Why it ended.
        ended_at: When it ended or was approved.

    """

    login_id: Identifier
    login_digest: Digest
    session_digest: Digest
    browser: Browser
    browser_digest: Digest | None = None
    kind: LoginKind = LoginKind.SIGN_IN
    state: LoginState
    started_at: Moment
    expires_at: Moment
    remember_digest: Digest | None = None
    enrolment_id: Identifier | None = None
    pairing: PairingAttempt | None = None
    challenge: LoginChallenge | None = None
    method: Method | None = None
    end_reason: EndReason | None = None
    ended_at: Moment | None = None

    @property
    def over(self) -> bool:
        """True once it is approved or ended."""
        return self.state in {LoginState.APPROVED, LoginState.ENDED}

    def ended(self, reason: EndReason, at: datetime) -> "Login":
        """Return it as ended."""
        return replace(self, state=LoginState.ENDED, end_reason=reason, ended_at=at)

    def waits_for_phone(self, at: datetime) -> bool:
        """Tell whether the phone can still accept the phrase that was entered in this login."""
        attempt = self.pairing
        return (
            self.state is LoginState.PAIRING
            and attempt is not None
            and attempt.failure is None
            and at <= attempt.expires_at
        )
