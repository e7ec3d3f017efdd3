"""Keeps the ledger: what each message and its outcome mean, told once more in other words than the rules'."""

from datetime import datetime

from protocol.challenges import verify_proof
from schemas.base import Message
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    ChallengeWithdrawn,
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
    ForgetBrowser,
    Invite,
    MakeRecoveryCodes,
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
from services.login.domain.history import Method
from services.login.domain.login import Login, LoginKind
from services.login.domain.rejections import Rejection
from tests.builders import number_of
from tests.unit.siege.ledger import Begun, Ledger, Signed


def draw(ledger: Ledger, message: Message) -> None:
    """Note which ids a message draws, before it is decided."""
    match message:
        case SignIn():
            ledger.drawn[message.login_id] = message.login_id
            ledger.logins[message.login_id] = Begun(
                LoginKind.SIGN_IN, message.session_digest, message.password_hash, message.remember_digest
            )
        case Confirm():
            ledger.logins[message.login_id] = Begun(LoginKind.CONFIRM, message.session_digest)
        case AddPhone():
            ledger.logins[message.login_id] = Begun(LoginKind.ADD_PHONE, message.session_digest)
        case SendChallenge():
            ledger.drawn[message.challenge_id] = message.login_id
        case StartPairing():
            ledger.pairings[message.pairing_id] = message.login_id
        case _:
            pass


def note(ledger: Ledger, message: Message, at: datetime, outcome: str, led_to: tuple[Message, ...]) -> None:
    """Note what a message came to."""
    for event in led_to:
        _note_event(ledger, event)
    if isinstance(message, FailCode | UseCode | UseRecoveryCode | Enrol):
        _note_code(ledger, message, at, outcome)
    elif isinstance(message, AuthResponse):
        _note_answer(ledger, message, outcome)
    elif outcome == OK:
        _note_change(ledger, message, at)


def note_approval(ledger: Ledger, login: Login, at: datetime) -> None:
    """Note that a login was approved, by what it says itself; whether rightly was checked before."""
    begun = ledger.logins[login.login_id]
    proven = login.method is not Method.REMEMBERED
    if begun.kind is LoginKind.ADD_PHONE:
        return
    if proven:
        ledger.refusals.clear()
        ledger.wrong_codes.clear()
    if begun.kind is LoginKind.CONFIRM and begun.session_digest in ledger.sessions:
        ledger.sessions[begun.session_digest].confirmed_at = at
    if begun.kind is LoginKind.SIGN_IN:
        ledger.sessions[begun.session_digest] = Signed(at, at, at if proven else None)
        if begun.remember_digest is not None and proven and ledger.limits.remember_lifetime:
            ledger.remembered[begun.remember_digest] = at + ledger.limits.remember_lifetime


def _note_event(ledger: Ledger, event: Message) -> None:
    match event:
        case ChallengeIssued():
            ledger.asked[event.challenge_id] = event
            ledger.sent.append(event.issued_at)
        case ChallengeWithdrawn():
            ledger.asked.pop(event.challenge_id, None)
        case DeviceUnpaired(reason="removed"):
            ledger.phones.pop(event.pairing_id, None)
        case _:
            pass


def _note_code(ledger: Ledger, message: Message, at: datetime, outcome: str) -> None:
    wrong = {Rejection.WRONG_CODE, Rejection.USED_CODE}
    if isinstance(message, FailCode) and not ledger.wrong_codes.pause(ledger.limits.codes, at):
        wrong.add(Rejection.CODES_PAUSED)
    if outcome in wrong:
        ledger.wrong_codes.add(at)
    if outcome != OK:
        return
    match message:
        case UseCode():
            ledger.steps[message.method_id] = max(message.time_step, ledger.steps.get(message.method_id, 0))
        case UseRecoveryCode():
            ledger.recovery.discard(message.code_digest)
        case Enrol():
            _admit(ledger, message, at)
        case _:
            pass


def _admit(ledger: Ledger, enrol: Enrol, at: datetime) -> None:
    if enrol.enrolment_id is not None and ledger.mailed.get(enrol.login_id) == enrol.enrolment_id:
        ledger.admitted.add(enrol.login_id)
        ledger.wrong_codes.clear()
    elif ledger.invitation is not None and ledger.invitation[0] == enrol.invitation_digest:
        if at <= ledger.invitation[1]:
            ledger.admitted.add(enrol.login_id)
            ledger.wrong_codes.clear()
        ledger.invitation = None


def _note_answer(ledger: Ledger, response: AuthResponse, outcome: str) -> None:
    if response.purpose is not Purpose.LOGIN:
        return
    proof = verify_proof(response.challenge, response.answer)
    was_asked = ledger.asked.pop(proof.claims.jti, None) is not None
    if outcome != OK:
        return
    if proof.verdict is Verdict.REPORT:
        ledger.reported_at = response.answered_at
        ledger.sessions.clear()
        ledger.remembered.clear()
    elif was_asked and (
        proof.verdict is Verdict.DENY or (proof.claims.number_matching and proof.number != number_of(proof.claims.jti))
    ):
        ledger.refusals.add(response.answered_at)


def _note_change(ledger: Ledger, message: Message, at: datetime) -> None:  # noqa: C901, PLR0912 - one line or two a message
    match message:
        case DevicePaired():
            ledger.invitation = None
            kept = {key: device for key, device in ledger.phones.items() if device != message.device_id}
            ledger.phones = {**kept, message.pairing_id: message.device_id}
        case AddApp():
            ledger.apps.add(message.method_id)
            ledger.steps[message.method_id] = max(message.time_step, ledger.steps.get(message.method_id, 0))
        case RemoveMethod():
            ledger.apps.discard(message.method_id)
        case MakeRecoveryCodes():
            ledger.recovery = set(message.code_digests)
        case TouchSession():
            ledger.sessions[message.session_digest].used_at = at
        case EndSession():
            ledger.sessions.pop(message.session_digest, None)
        case RevokeSession():
            ledger.sessions.pop(message.revoked_digest, None)
        case ForgetBrowser():
            ledger.remembered.pop(message.remembered_digest, None)
        case ChangePassword():
            _change_password(ledger, message)
        case SendEnrolmentCode():
            ledger.mailed[message.login_id] = message.enrolment_id
        case Invite():
            ledger.invitation = (message.invitation_digest, message.expires_at)
        case ResetMethods():
            _reset(ledger)
        case _:
            pass


def _change_password(ledger: Ledger, change: ChangePassword) -> None:
    ledger.password_hash, ledger.reported_at = change.password_hash, None
    ledger.refusals.clear()
    ledger.remembered.clear()
    ledger.sessions = {digest: each for digest, each in ledger.sessions.items() if digest == change.session_digest}


def _reset(ledger: Ledger) -> None:
    for kept in (ledger.phones, ledger.apps, ledger.recovery, ledger.remembered, ledger.sessions):
        kept.clear()
    ledger.refusals.clear()
    ledger.wrong_codes.clear()
