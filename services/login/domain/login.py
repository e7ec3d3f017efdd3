"""A login: from the right password to its end.

The messages that move it:

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

The first state of a sign-in depends on its account: without a phone, with one, or in a remembered browser; it is
`challenged` if a challenge is sent at once. `any_open` is each state except `approved` and `ended`. A phone that is
paired in one login moves the account's other sign-ins without a phone to `ready`. A report, a reset or a new password
ends all logins; a further sign-in ends the oldest one, or an earlier one of the same browser.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from schemas.base import Browser, Digest, Identifier, Moment, Text
from schemas.contract import PairingFailure, Verdict
from services.login.domain.history import Method


class LoginKind(StrEnum):
    """What a login is for.

    SIGN_IN: a new session. CONFIRM: the second factor again in a session, before changes. ADD_PHONE: pairing a further
    phone in a confirmed session.
    """

    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    ADD_PHONE = "add_phone"


class LoginState(StrEnum):
    """The state of a login.

    NEEDS_ENROLMENT: the account has no method, and the first pairing requires an enrolment code. NEEDS_PHONE: a phone
    is to be paired. PAIRING: a phrase was entered. PAIRED: a phone was paired in this login, and OK is to be clicked.
    READY: a challenge can be sent, or a code entered. CHALLENGED: a challenge is open. APPROVED: the login succeeded.
    ENDED: it failed, with a reason.
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
    """Why a login ended without approval."""

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
        failure: Why the attempt failed; None while it is open.

    """

    pairing_id: Identifier
    phrase_digest: Digest
    started_at: Moment
    expires_at: Moment
    failure: PairingFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginChallenge:
    """A challenge that was sent to a phone.

    Attributes:
        answer_id: The id of the answer that counted (`protocol.challenges.Answer.id_for`); None if none did.
        verdict: Its verdict.

    """

    challenge_id: Identifier
    device_id: Digest
    device_name: Text
    issued_at: Moment
    expires_at: Moment
    number_matching: bool = False
    answer_id: Digest | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A login after the right password, or a confirmation within a session.

    Attributes:
        login_digest: SHA-256 of the token that only the login's browser has.
        session_digest: SHA-256 of the token of the session that it opens, or that it belongs to.
        browser_digest: SHA-256 of the browser's own token.
        remember_digest: SHA-256 of the token that will remember the browser; None if it is not to be remembered.
        enrolment_id: The id of the enrolment code sent by e-mail.
        pairing: The last phrase that was entered.
        challenge: The last challenge that was sent.
        method: The method that approved it.
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
        """Return the login as ended."""
        return replace(self, state=LoginState.ENDED, end_reason=reason, ended_at=at)

    def waits_for_phone(self, at: datetime) -> bool:
        """Tell whether the phone can still accept this login's phrase."""
        attempt = self.pairing
        return (
            self.state is LoginState.PAIRING
            and attempt is not None
            and attempt.failure is None
            and at <= attempt.expires_at
        )
