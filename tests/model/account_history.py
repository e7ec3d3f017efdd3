"""What happened to an account, kept from messages and their outcomes alone: nothing is read from a row."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from protocol.challenges import Proof, verify_proof
from schemas.base import Message
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeIssued,
    DevicePaired,
    DeviceUnpaired,
    Purpose,
    Verdict,
)
from schemas.login_messages import (
    AddApp,
    AddPhone,
    ChangePassword,
    Confirm,
    EndSession,
    Enrol,
    FailCode,
    FailPassword,
    ForgetBrowser,
    Invite,
    MakeRecoveryCodes,
    OpenAccount,
    RemoveAccount,
    RemoveMethod,
    ResetMethods,
    RevokeSession,
    SendChallenge,
    SendEnrolmentCode,
    SignIn,
    StartPairing,
    TouchSession,
    UseCode,
    UseRecoveryCode,
)
from services.common.decisions import OK
from services.login.domain.approval import MOST_KNOWN_BROWSERS
from services.login.domain.history import Method
from services.login.domain.limits import Enrolment, Limits
from services.login.domain.login import Login, LoginKind
from services.login.domain.rejections import Rejection
from tests.builders import number_of
from tests.model.failures import BothFailures, Failures


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """A login that was begun.

    Attributes:
        kind: What for.
        session_digest: The session that it opens, or the one that it is for.
        password_hash: The password that it began by; empty if by a session.
        remember_digest: How its browser wished to be remembered, if it did.
        browser_digest: Its browser, if that has a name.

    """

    kind: LoginKind
    session_digest: str
    password_hash: str = ""
    remember_digest: str | None = None
    browser_digest: str | None = None


@dataclass(slots=True)
class OpenSession:
    """A browser that is signed in: since when, when it was last used, and when it last gave the second factor."""

    since: datetime
    used_at: datetime
    confirmed_at: datetime | None


@dataclass(slots=True)
class AccountHistory:
    """What happened to an account so far.

    Attributes:
        limits: The deployment's limits.
        password_hash: The password of now; empty while there is no account.
        logins: What was begun, by login id.
        challenges: The login that each challenge's id was drawn for.
        pairings: The login that each pairing's id was drawn for.
        phones: The paired phones' device ids, by pairing id.
        apps: The apps.
        time_steps: The highest time step that was taken of each method.
        recovery_codes: The digests of the recovery codes that are good.
        remembered: Until when browsers are remembered, by the digest of their token.
        sessions: The browsers that are signed in, by the digest of their token.
        sent: When challenges were sent.
        open_challenges: The challenges that phones can answer.
        answers: The answers that count, by challenge id.
        reported_at: When somebody else was reported, if the password was not changed since.
        invitation: The digest of the invitation that is open, and until when it is.
        emailed: The enrolment code that was sent last in each login.
        admitted: The logins that may pair the first phone.
        known: The browsers in which sign-ins were completed.

    """

    limits: Limits
    password_hash: str = ""
    logins: dict[str, BegunLogin] = field(default_factory=dict)
    challenges: dict[str, str] = field(default_factory=dict)
    pairings: dict[str, str] = field(default_factory=dict)
    phones: dict[str, str] = field(default_factory=dict)
    apps: set[str] = field(default_factory=set)
    time_steps: dict[str, int] = field(default_factory=dict)
    recovery_codes: set[str] = field(default_factory=set)
    remembered: dict[str, datetime] = field(default_factory=dict)
    sessions: dict[str, OpenSession] = field(default_factory=dict)
    sent: list[datetime] = field(default_factory=list)
    open_challenges: dict[str, ChallengeIssued] = field(default_factory=dict)
    answers: dict[str, Proof] = field(default_factory=dict)
    reported_at: datetime | None = None
    invitation: tuple[str, datetime] | None = None
    emailed: dict[str, str] = field(default_factory=dict)
    admitted: set[str] = field(default_factory=set)
    known: list[str | None] = field(default_factory=list)
    denials: Failures = field(init=False)
    wrong_codes: BothFailures = field(init=False)
    wrong_recovery_codes: BothFailures = field(init=False)
    wrong_passwords: BothFailures = field(init=False)
    sign_ins: BothFailures = field(init=False)
    wrong_phrases: Failures = field(init=False)

    def __post_init__(self) -> None:
        self.denials = Failures(self.limits.denials)
        self.wrong_codes = BothFailures(self.limits.codes)
        self.wrong_recovery_codes = BothFailures(self.limits.recovery_codes)
        self.wrong_passwords = BothFailures(self.limits.passwords)
        self.sign_ins = BothFailures(self.limits.sign_ins)
        self.wrong_phrases = Failures(self.limits.phrases)

    @property
    def methods(self) -> list[str]:
        """What makes codes."""
        return [*self.phones, *sorted(self.apps)]

    def knows(self, browser_digest: str | None) -> bool:
        """Tell whether a sign-in was completed in a browser."""
        return browser_digest is not None and browser_digest in self.known

    def knows_login(self, login_id: str) -> bool:
        """Tell whether a login is in a browser that is known, or in a session."""
        begun = self.logins.get(login_id)
        return begun is not None and (begun.kind is not LoginKind.SIGN_IN or self.knows(begun.browser_digest))

    def clear_attempts(self) -> None:
        """Begin to count wrong passwords, codes and sign-ins anew."""
        for each in (self.wrong_codes, self.wrong_recovery_codes, self.wrong_passwords, self.sign_ins):
            each.clear()

    def is_open(self, session_digest: str, at: datetime) -> bool:
        """Tell whether a browser is signed in."""
        session = self.sessions.get(session_digest)
        if session is None:
            return False
        return at <= min(session.since + self.limits.session_lifetime, session.used_at + self.limits.idle_lifetime)

    def is_confirmed(self, session_digest: str, at: datetime) -> bool:
        """Tell whether the second factor was given lately in a browser that is signed in."""
        confirmed_at = self.sessions[session_digest].confirmed_at if self.is_open(session_digest, at) else None
        return confirmed_at is not None and at <= confirmed_at + self.limits.confirmation_lifetime

    def has_counted(self, proof: Proof) -> bool:
        """Tell whether an answer is the one that counts for its challenge already."""
        counted = self.answers.get(proof.claims.jti)
        return counted is not None and counted.answer_id == proof.answer_id

    def needs_enrolment(self, login_id: str) -> bool:
        """Tell whether a login waits for an enrolment code, if it waits for anything."""
        return self.limits.enrolment is not Enrolment.NOTHING and not self.methods and login_id not in self.admitted

    def pass_time(self, at: datetime) -> None:
        """Count the challenges that nobody answered in time."""
        for challenge_id, issued in list(self.open_challenges.items()):
            if at > issued.expires_at:
                self.denials.add(issued.expires_at)
                del self.open_challenges[challenge_id]

    def note_drawn(self, message: Message) -> None:
        """Note which ids a message draws, whatever is decided of it."""
        match message:
            case SignIn():
                self.challenges[message.login_id] = message.login_id
                self.logins[message.login_id] = BegunLogin(
                    LoginKind.SIGN_IN,
                    message.session_digest,
                    message.password_hash,
                    message.remember_digest,
                    message.browser_digest,
                )
            case Confirm():
                self.logins[message.login_id] = BegunLogin(LoginKind.CONFIRM, message.session_digest)
            case AddPhone():
                self.logins[message.login_id] = BegunLogin(LoginKind.ADD_PHONE, message.session_digest)
            case SendChallenge():
                self.challenges[message.challenge_id] = message.login_id
            case StartPairing():
                self.pairings[message.pairing_id] = message.login_id
            case _:
                pass

    def note(self, message: Message, at: datetime, outcome: str, published: tuple[Message, ...]) -> None:
        """Note what was decided of a message."""
        if isinstance(message, AuthResponse):
            self._note_response(message, at, outcome)
        for each in published:
            self._note_published(each)
        match message:
            case FailCode() | UseCode() | UseRecoveryCode() | Enrol():
                self._note_code(message, at, outcome)
            case FailPassword() if outcome != Rejection.UNKNOWN_ACCOUNT:
                self._note_wrong_password(message.browser_digest, at)
            case SignIn() if outcome in {Rejection.CLOSED, Rejection.LOCKED}:
                if self.wrong_passwords.of(known=self.knows(message.browser_digest)).closed:
                    self._note_wrong_password(message.browser_digest, at)
            case _ if outcome == OK:
                self._note_pairing(message, at)
                self._note_session(message, at)
                self._note_administration(message)
            case _:
                pass

    def note_approval(self, login: Login, at: datetime) -> None:
        """Note that a login was approved; the checks tell whether rightly."""
        begun, proven = self.logins[login.login_id], login.method is not Method.REMEMBERED
        if begun.kind is LoginKind.ADD_PHONE:
            return
        if proven:
            self.denials.clear()
            self.clear_attempts()
        else:
            self.wrong_passwords.known.clear()
            self.sign_ins.known.clear()
        if begun.kind is LoginKind.SIGN_IN:
            if begun.browser_digest is not None:
                others = [each for each in self.known if each != begun.browser_digest]
                self.known = [*others, begun.browser_digest][-MOST_KNOWN_BROWSERS:]
            self.sessions[begun.session_digest] = OpenSession(at, at, at if proven else None)
            if begun.remember_digest is not None and proven and self.limits.remember_lifetime:
                self.remembered[begun.remember_digest] = at + self.limits.remember_lifetime
        elif begun.session_digest in self.sessions:
            self.sessions[begun.session_digest].confirmed_at = at

    def _note_published(self, message: Message) -> None:
        match message:
            case ChallengeIssued():
                self.open_challenges[message.challenge_id] = message
                self.sent.append(message.issued_at)
            case ChallengeEnded():
                self.open_challenges.pop(message.challenge_id, None)
            case DeviceUnpaired(reason="removed"):
                self.phones.pop(message.pairing_id, None)
            case _:
                pass

    def _note_code(self, message: Message, at: datetime, outcome: str) -> None:
        wrong = {Rejection.WRONG_CODE, Rejection.USED_CODE}
        kind = self.wrong_recovery_codes if isinstance(message, UseRecoveryCode) else self.wrong_codes
        failures = kind.of(known=self.knows_login(getattr(message, "login_id", "")))
        if isinstance(message, FailCode) and not (failures.paused(at) or failures.closed):
            wrong |= {Rejection.CODES_PAUSED, Rejection.CODES_CLOSED}
        if outcome in wrong:
            failures.add(at)
        if outcome != OK:
            return
        match message:
            case UseCode():
                self._note_time_step(message.method_id, message.time_step)
            case UseRecoveryCode():
                self.recovery_codes.discard(message.code_digest)
            case Enrol() if self.needs_enrolment(message.login_id):
                self._note_enrolment(message, at)
            case _:
                pass

    def _note_wrong_password(self, browser_digest: str | None, at: datetime) -> None:
        failures = self.wrong_passwords.of(known=self.knows(browser_digest))
        if not failures.paused(at):
            failures.add(at)

    def _note_time_step(self, method_id: str, time_step: int) -> None:
        self.time_steps[method_id] = max(time_step, self.time_steps.get(method_id, 0))

    def _note_enrolment(self, enrol: Enrol, at: datetime) -> None:
        if enrol.enrolment_id is not None and self.emailed.get(enrol.login_id) == enrol.enrolment_id:
            self.admitted.add(enrol.login_id)
            self.wrong_codes.clear()
        elif self.invitation is not None and self.invitation[0] == enrol.invitation_digest:
            if at <= self.invitation[1]:
                self.admitted.add(enrol.login_id)
                self.wrong_codes.clear()
            self.invitation = None

    def _note_response(self, response: AuthResponse, at: datetime, outcome: str) -> None:
        if response.purpose is not Purpose.LOGIN or outcome != OK:
            return
        proof = verify_proof(response.challenge, response.answer)
        if self.has_counted(proof):
            return
        self.answers[proof.claims.jti] = proof
        was_open = self.open_challenges.pop(proof.claims.jti, None) is not None
        wrong_number = proof.claims.number_matching and proof.number != number_of(proof.claims.jti)
        if proof.verdict is Verdict.REPORT:
            self.reported_at = at
            reported = self.logins[self.challenges[proof.claims.jti]].browser_digest
            self.known = [each for each in self.known if each != reported]
            self.sessions.clear()
            self.remembered.clear()
        elif was_open and (proof.verdict is Verdict.DENY or wrong_number):
            self.denials.add(at)

    def _note_pairing(self, message: Message, at: datetime) -> None:
        match message:
            case SignIn():
                self.sign_ins.of(known=self.knows(message.browser_digest)).add(at)
                if message.renewed_hash is not None:
                    self._note_renewal(message.password_hash, message.renewed_hash)
            case StartPairing():
                self.wrong_phrases.add(at)
            case DevicePaired() if message.pairing_id not in self.phones:
                self.invitation = None
                self.wrong_phrases.clear()
                kept = {key: device for key, device in self.phones.items() if device != message.device_id}
                self.phones = {**kept, message.pairing_id: message.device_id}
            case SendEnrolmentCode():
                self.emailed[message.login_id] = message.enrolment_id
            case _:
                pass

    def _note_renewal(self, old: str, new: str) -> None:
        """Note that the same password has another hash now, also in logins that began by the old one."""
        self.password_hash = new
        for login_id, begun in self.logins.items():
            if begun.password_hash == old:
                self.logins[login_id] = replace(begun, password_hash=new)

    def _note_session(self, message: Message, at: datetime) -> None:
        match message:
            case TouchSession():
                self.sessions[message.session_digest].used_at = at
            case EndSession():
                self.sessions.pop(message.session_digest, None)
            case RevokeSession():
                self.sessions.pop(message.revoked_digest, None)
            case ForgetBrowser():
                self.remembered.pop(message.remembered_digest, None)
            case AddApp():
                self.apps.add(message.method_id)
                self._note_time_step(message.method_id, message.time_step)
            case RemoveMethod():
                self.apps.discard(message.method_id)
            case MakeRecoveryCodes():
                self.recovery_codes = set(message.code_digests)
            case ChangePassword():
                self.password_hash, self.reported_at = message.password_hash, None
                self.denials.clear()
                self.remembered.clear()
                only = message.session_digest
                self.sessions = {digest: each for digest, each in self.sessions.items() if digest == only}
            case _:
                pass

    def _note_administration(self, message: Message) -> None:
        match message:
            case OpenAccount():
                self.password_hash = message.password_hash
            case Invite():
                self.invitation = (message.invitation_digest, message.expires_at)
            case ResetMethods():
                self._forget_methods()
            case RemoveAccount():
                self._forget_methods()
                self.password_hash, self.reported_at, self.invitation = "", None, None
                self.clear_attempts()
                self.known.clear()
                self.sent.clear()
            case _:
                pass

    def _forget_methods(self) -> None:
        for kept in (self.phones, self.apps, self.recovery_codes, self.remembered, self.sessions):
            kept.clear()
        for failures in (self.denials, self.wrong_phrases):
            failures.clear()
        self.clear_attempts()
