"""What must hold of each decision, given what happened before it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from protocol.challenges import verify_proof
from schemas.base import Message
from schemas.contract import AuthResponse, ChallengeIssued, ChallengeWithdrawn, DevicePaired, Purpose, Verdict
from schemas.login_messages import (
    AddApp,
    AddPhone,
    ChangePassword,
    ChoosePhone,
    MakeRecoveryCodes,
    RemoveMethod,
    RenameMethod,
    ResetMethods,
    SendChallenge,
    SessionCommand,
    SignIn,
    UseCode,
    UseRecoveryCode,
)
from services.common.decisions import OK, Decision
from services.login.domain.account import MOST_HISTORY, Account
from services.login.domain.approval import MOST_KNOWN_BROWSERS, MOST_REMEMBERED, MOST_SESSIONS
from services.login.domain.expire import expire
from services.login.domain.history import Method
from services.login.domain.limits import Enrolment
from services.login.domain.login import Login, LoginKind, LoginState
from services.login.domain.method_changes import MOST_APPS
from services.login.domain.pairing import MOST_PHONES
from services.login.domain.sign_in import MOST_LOGINS
from tests.builders import LIMITS, a_key, number_of
from tests.unit.siege.ledger import Ledger

LOGIN_KEY: Final = a_key("login service").public.thumbprint
PAIRING_KEY: Final = a_key("pairing service").public.thumbprint
CHANGES: Final = (AddApp, AddPhone, ChangePassword, ChoosePhone, MakeRecoveryCodes, RemoveMethod, RenameMethod)


def approved_by(before: Account, after: Account) -> list[Login]:
    """Return the logins that a decision approved."""
    approved = [each for each in after.logins if each.state is LoginState.APPROVED]
    was = {each.login_id for each in before.logins if each.state is LoginState.APPROVED}
    return [each for each in approved if each.login_id not in was]


def check(ledger: Ledger, message: Message, at: datetime, before: Account, decision: Decision[Account]) -> None:
    """Check a decision against what happened before it."""
    after = decision.row
    assert after is not None
    approved = approved_by(before, after)
    for login in approved:
        _check_approval(ledger, message, at, login)
    _check_sessions(before, after, approved)
    _check_methods(ledger, message, at, before, after)
    waiting = [each for each in after.logins if each.kind is LoginKind.SIGN_IN and not each.over]
    named = [each.browser_digest for each in waiting if each.browser_digest is not None]
    assert len(named) == len({*named}), "two sign-ins wait in one browser"
    taken_back: set[str] = set()
    for event in decision.events:
        if isinstance(event, ChallengeWithdrawn):
            taken_back.add(event.challenge_id)
        if isinstance(event, ChallengeIssued):
            _check_request(ledger, event, taken_back)
    if isinstance(message, AuthResponse) and message.purpose is Purpose.LOGIN and decision.outcome == OK:
        _check_taken(ledger, message, after)
    if isinstance(message, CHANGES):
        _check_change(ledger, message, at, before, decision)
    assert (after.password_hash == before.password_hash) or isinstance(message, ChangePassword), "another password"
    check_bounds(after)


def check_afterwards(ledger: Ledger, account: Account, at: datetime) -> None:
    """Check how an account stands, given all that happened."""
    settled = expire(account, at, LIMITS)
    waiting = settled.open_challenge()
    challenge = None if waiting is None else waiting.challenge
    shown = {each for each, issued in ledger.asked.items() if at <= issued.expires_at}
    assert shown <= ({challenge.challenge_id} if challenge is not None else set()), (
        "a phone shows what nobody waits for"
    )
    assert sum(each.state is LoginState.CHALLENGED for each in settled.logins) <= 1, "two open requests"
    if ledger.reported_at is not None:
        assert account.push.reported is not None, "a report is forgotten"
        assert account.password_change_due, "nobody is asked to change the password"
        assert all(each.started_at >= ledger.reported_at for each in account.sessions), "a session outlived a report"
        assert all(each.since >= ledger.reported_at for each in account.remembered), "remembered over a report"
    assert {each.session_digest for each in settled.sessions} <= {
        digest for digest in ledger.sessions if ledger.is_open(digest, at)
    }, "somebody is signed in who should not be"
    assert {each.pairing_id: each.device_id for each in account.devices} == ledger.phones
    assert {each.method_id for each in account.apps} == ledger.apps


def _check_approval(ledger: Ledger, message: Message, at: datetime, login: Login) -> None:
    begun = ledger.logins[login.login_id]
    assert begun.kind is login.kind
    if login.kind is LoginKind.ADD_PHONE:
        assert isinstance(message, SendChallenge)
        return
    if login.kind is LoginKind.SIGN_IN:
        assert begun.password_hash == ledger.password_hash, "signed in by an old password"
    paused = ledger.wrong_codes.pause(ledger.limits.codes, at)
    match message:
        case AuthResponse():
            _check_answer(ledger, message, login)
            assert login.method is Method.PUSH
        case UseCode():
            assert message.method_id in {*ledger.phones, *ledger.apps}, "a code of a method that is gone"
            assert message.time_step > ledger.steps.get(message.method_id, -1), "a code counted twice"
            assert not paused, "a code counted in a pause"
        case UseRecoveryCode():
            assert message.code_digest in ledger.recovery, "a recovery code that is not good"
            assert not paused, "a recovery code counted in a pause"
        case SignIn():
            assert login.method is Method.REMEMBERED
            assert message.remembered_digest in ledger.remembered, "a browser that is not remembered"
            assert at <= ledger.remembered[message.remembered_digest], "a browser remembered for too long"
            assert ledger.reported_at is None, "a remembered browser after a report"
        case _:
            raise AssertionError(message)


def _check_taken(ledger: Ledger, response: AuthResponse, after: Account) -> None:
    """An answer is taken, whatever it says, only from a paired phone and to a request that was sent.

    A report leaves nothing open.
    """
    proof = verify_proof(response.challenge, response.answer)
    assert proof.device_id in ledger.phones.values(), "a phone was heard that is not paired"
    assert proof.issuer_key == LOGIN_KEY, "an answer to somebody else's challenge"
    assert proof.claims.jti in ledger.drawn, "an answer to what was never asked"
    if proof.verdict is Verdict.REPORT:
        assert all(each.over for each in after.logins), "a login outlived a report"
        assert (after.sessions, after.remembered) == ((), ()), "a browser outlived a report"


def _check_answer(ledger: Ledger, response: AuthResponse, login: Login) -> None:
    proof = verify_proof(response.challenge, response.answer)
    asked = ledger.asked.get(proof.claims.jti)
    assert asked is not None, "an answer to what was not asked any more"
    assert response.challenge == asked.challenge, "an answer to another challenge"
    assert ledger.drawn[proof.claims.jti] == login.login_id, "an answer for another login"
    assert proof.verdict is Verdict.APPROVE, "not an approval"
    assert (proof.claims.purpose, proof.claims.account_id) == (Purpose.LOGIN, response.reply_key)
    assert proof.device_id == asked.device_id, "another phone answered"
    assert response.answered_at <= asked.expires_at, "an answer too late"
    assert proof.claims.number_matching is ledger.limits.number_matching
    if ledger.limits.number_matching:
        assert proof.number == number_of(proof.claims.jti), "a wrong number"


def _check_sessions(before: Account, after: Account, approved: list[Login]) -> None:
    """A session comes of an approved sign-in alone, and is confirmed by an approved second factor alone."""
    known = {each.session_digest: each for each in before.sessions}
    for session in after.sessions:
        was = known.get(session.session_digest)
        kind = LoginKind.SIGN_IN if was is None else LoginKind.CONFIRM
        by = [each for each in approved if each.kind is kind and each.session_digest == session.session_digest]
        if was is None:
            assert by, "a session out of nothing"
        if (was.confirmed_at if was is not None else None) != session.confirmed_at:
            assert [each for each in by if each.method is not Method.REMEMBERED], "confirmed by nothing"


def _check_methods(ledger: Ledger, message: Message, at: datetime, before: Account, after: Account) -> None:
    """Methods come by a pairing or a confirmed session, and the last one goes by an administrator alone."""
    if before.enrolled and not after.enrolled:
        assert isinstance(message, ResetMethods), "the last method is gone"
    came = {each.method_id for each in after.methods} - {each.method_id for each in before.methods}
    if not came:
        return
    if isinstance(message, AddApp):
        assert ledger.is_confirmed(message.session_digest, at), "an app from a session that is not confirmed"
        return
    assert isinstance(message, DevicePaired), "a method out of nothing"
    assert came == {message.pairing_id}
    proof = verify_proof(message.challenge, message.answer)
    assert (proof.verdict, proof.device_id) == (Verdict.APPROVE, message.device_id), "a phone that never accepted"
    assert proof.issuer_key == PAIRING_KEY, "a pairing that the pairing service did not ask for"
    login_id = ledger.pairings[message.pairing_id]
    begun = ledger.logins[login_id]
    if begun.kind is LoginKind.ADD_PHONE:
        return
    assert begun.kind is LoginKind.SIGN_IN
    assert begun.password_hash == ledger.password_hash, "paired by an old password"
    assert not {*ledger.phones, *ledger.apps}, "a phone was paired beside another by the password alone"
    assert ledger.limits.enrolment is Enrolment.NOTHING or login_id in ledger.admitted, "paired without being admitted"


def _check_request(ledger: Ledger, issued: ChallengeIssued, taken_back: Collection[str]) -> None:
    at, asked = issued.issued_at, [each for each in ledger.asked.values() if each.challenge_id not in taken_back]
    assert ledger.reported_at is None, "a phone is asked after a report"
    assert not [each for each in asked if at <= each.expires_at], "a second open request"
    window = ledger.limits.challenges
    assert len(window.recent(tuple(ledger.sent), at)) < window.most, "more requests than the limit"
    assert not ledger.refusals.pause(ledger.limits.denials, at), "a request in a pause"
    assert issued.device_id in ledger.phones.values(), "a phone is asked that is not paired"
    assert issued.expires_at - at <= timedelta(minutes=2)


def _check_change(
    ledger: Ledger, message: SessionCommand, at: datetime, before: Account, decision: Decision[Account]
) -> None:
    """A session that is over, or did not confirm itself lately, changes nothing."""
    if ledger.is_confirmed(message.session_digest, at):
        return
    assert decision.outcome != OK, "a change from a session that is not confirmed"
    assert decision.events == ()
    assert decision.row is not None
    for field in ("devices", "apps", "recovery", "password_hash", "push", "history"):
        assert getattr(decision.row, field) == getattr(expire(before, at, LIMITS), field)


def check_bounds(account: Account) -> None:
    """Check that nothing in a row grows without end."""
    bounds = {
        "logins": MOST_LOGINS,
        "sessions": MOST_SESSIONS,
        "remembered": MOST_REMEMBERED,
        "known_browsers": MOST_KNOWN_BROWSERS,
        "history": MOST_HISTORY,
        "devices": MOST_PHONES,
        "apps": MOST_APPS,
        "enrolment_emails": LIMITS.enrolment_emails.most,
    }
    for name, most in bounds.items():
        assert len(getattr(account, name)) <= most, name
