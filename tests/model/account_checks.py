"""What must hold of each decision on an account, given what happened to it before."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from protocol.challenges import verify_proof
from schemas.base import Message
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeIssued,
    ChallengeOutcome,
    DevicePaired,
    DeviceUnpaired,
    Purpose,
    Verdict,
)
from schemas.login_messages import (
    AddApp,
    AddPhone,
    ChangePassword,
    ChoosePhone,
    EndSession,
    Enrol,
    FailPassword,
    MakeRecoveryCodes,
    OpenAccount,
    RemoveAccount,
    RemoveMethod,
    RenameMethod,
    ResetMethods,
    SendChallenge,
    SessionCommand,
    SignIn,
    StartPairing,
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
from services.login.domain.rejections import Rejection
from services.login.domain.sign_in import MOST_LOGINS
from tests.builders import a_key, number_of
from tests.model.account_history import AccountHistory
from tests.rows import without_memory
from tests.unit.login.login_moves import MOVES, login_moves

LOGIN_KEY: Final = a_key("login service").public.thumbprint
PAIRING_KEY: Final = a_key("pairing service").public.thumbprint
CHANGES: Final = (AddApp, AddPhone, ChangePassword, ChoosePhone, MakeRecoveryCodes, RemoveMethod, RenameMethod)
LOOKING: Final = {LoginState.NEEDS_ENROLMENT, LoginState.NEEDS_PHONE, LoginState.PAIRING}


def approved_by(before: Account | None, after: Account) -> list[Login]:
    """Return the logins that a decision approved."""
    was = {each.login_id for each in before.logins if each.state is LoginState.APPROVED} if before else set()
    return [each for each in after.logins if each.state is LoginState.APPROVED and each.login_id not in was]


def check_decision(
    history: AccountHistory, message: Message, at: datetime, before: Account | None, decision: Decision[Account]
) -> None:
    """Check a decision against what happened before it."""
    after = decision.row
    assert after is not None, "an account's row is gone"
    expired = expire(after, at, history.limits)
    moves = set(login_moves(before, type(message).__name__, at, expired, history.limits))
    assert moves <= MOVES, moves - MOVES
    approved = approved_by(before, after)
    for login in approved:
        _check_approval(history, message, at, login)
    _check_sessions(before, after, approved)
    if isinstance(message, AuthResponse):
        _check_end(history, message, at, before, decision)
    _check_kept_out(history, message, at, decision.outcome)
    if before is not None:
        _check_evicted(history, message, before, after)
        _check_methods(history, message, at, before, after)
        _check_password(message, before, after)
        _check_change(history, message, at, before, decision)
    _check_browsers(after)
    _check_published(history, message, decision)
    if decision.outcome == OK:
        _check_taken(history, message, at, after)
    _check_bounds(history, after)


def check_account(history: AccountHistory, account: Account, at: datetime) -> None:
    """Check how an account stands at a time, given all that was decided until then."""
    settled = expire(account, at, history.limits)
    challenged = [each for each in settled.logins if each.state is LoginState.CHALLENGED]
    assert len(challenged) <= 1, "two open challenges"
    open_now = {each for each, issued in history.open_challenges.items() if at <= issued.expires_at}
    expected = {each.challenge.challenge_id for each in challenged if each.challenge is not None}
    assert open_now == expected, "what phones show is not what is waited for"
    assert not (
        settled.devices and any(each.kind is LoginKind.SIGN_IN and each.state in LOOKING for each in settled.logins)
    ), "a sign-in looks for a phone beside the one that is paired"
    if history.reported_at is not None:
        assert account.push.reported is not None, "a report is forgotten"
        assert account.password_change_due, "nobody is asked to change the password"
    assert {each.session_digest for each in settled.sessions} <= {
        digest for digest in history.sessions if history.is_open(digest, at)
    }, "a browser is signed in that should not be"
    assert {each.digest for each in settled.remembered} <= {
        digest for digest, until in history.remembered.items() if at <= until
    }, "a browser is remembered that should not be"
    assert {each.pairing_id: each.device_id for each in account.devices} == history.phones, "another phone is paired"
    assert {each.method_id for each in account.apps} == history.apps, "another app is there"
    good = {each.digest for each in account.recovery.codes if each.used_at is None} if account.recovery else set()
    assert good == history.recovery_codes, "other recovery codes are good"


def _check_approval(history: AccountHistory, message: Message, at: datetime, login: Login) -> None:
    begun = history.logins[login.login_id]
    assert (begun.kind, begun.session_digest) == (login.kind, login.session_digest)
    if login.kind is LoginKind.ADD_PHONE:
        assert isinstance(message, SendChallenge)
        return
    if login.kind is LoginKind.SIGN_IN:
        assert begun.password_hash == history.password_hash, "signed in by an old password"
    codes, printed = (
        each.of(known=history.knows_login(login.login_id))
        for each in (history.wrong_codes, history.wrong_recovery_codes)
    )
    match message:
        case AuthResponse():
            _check_answer(history, message, at, login)
            assert login.method is Method.PUSH
        case UseCode():
            assert message.login_id == login.login_id, "a code for another login"
            assert message.method_id in history.methods, "a code of a method that is gone"
            assert message.time_step > history.time_steps.get(message.method_id, -1), "a code counted twice"
            assert not codes.paused(at), "a code counted in a pause"
            assert not codes.closed, "a code counted after too many wrong ones"
        case UseRecoveryCode():
            assert message.login_id == login.login_id, "a recovery code for another login"
            assert message.code_digest in history.recovery_codes, "a recovery code that is not good"
            assert not printed.paused(at), "a recovery code counted in a pause"
            assert not printed.closed, "a recovery code counted after too many wrong ones"
        case SignIn():
            assert login.method is Method.REMEMBERED
            assert message.remembered_digest in history.remembered, "a browser that is not remembered"
            assert at <= history.remembered[message.remembered_digest], "a browser remembered for too long"
            assert history.reported_at is None, "a remembered browser after a report"
        case _:
            raise AssertionError(message)


def _check_answer(history: AccountHistory, response: AuthResponse, at: datetime, login: Login) -> None:
    proof = verify_proof(response.challenge, response.answer)
    issued = history.open_challenges.get(proof.claims.jti)
    assert issued is not None, "an answer to a challenge that is not open"
    assert response.challenge == issued.challenge, "an answer to another challenge"
    assert history.challenges[proof.claims.jti] == login.login_id, "an answer for another login"
    assert proof.verdict is Verdict.APPROVE, "not an approval"
    assert (proof.claims.purpose, proof.claims.account_id) == (Purpose.LOGIN, response.reply_key)
    assert proof.device_id == issued.device_id, "another phone answered"
    assert at <= issued.expires_at, "an answer too late"
    assert proof.claims.number_matching is history.limits.number_matching
    if history.limits.number_matching:
        assert proof.number == number_of(proof.claims.jti), "a wrong number"


def _check_end(
    history: AccountHistory, response: AuthResponse, at: datetime, before: Account | None, decision: Decision[Account]
) -> None:
    """The phone is told how its challenge ended: by its own answer, which counts once, or otherwise."""
    ends = [each for each in decision.events if isinstance(each, ChallengeEnded)]
    if response.purpose is not Purpose.LOGIN or before is None or before.removed_at is not None:
        assert not ends
        return
    proof = verify_proof(response.challenge, response.answer)
    told = ends[-1]
    assert (told.challenge_id, told.device_id) == (proof.claims.jti, proof.device_id), "another challenge's end"
    counted = history.answers.get(proof.claims.jti)
    if decision.outcome != OK:
        known = counted is not None and told.outcome is not ChallengeOutcome.WITHDRAWN
        expected = (counted.answer_id, counted.verdict) if known and counted is not None else (None, None)
        assert (told.answer_id, told.verdict) == expected, "another answer counts"
        return
    assert (told.answer_id, told.verdict) == (proof.answer_id, proof.verdict), "an answer that counts is not told so"
    assert told.outcome in _OUTCOMES[proof.verdict]
    if history.has_counted(proof):
        assert ends == list(decision.events), "an answer led to more than once"
        assert decision.row is not None
        assert without_memory(decision.row) == without_memory(expire(before, at, history.limits)), "it counted twice"
    elif proof.verdict is Verdict.REPORT:
        assert counted is None or counted.verdict is not Verdict.REPORT, "two reports of one challenge"
    else:
        assert counted is None, "two answers to one challenge"


_OUTCOMES: Final = {
    Verdict.APPROVE: {ChallengeOutcome.APPROVED, ChallengeOutcome.WRONG_NUMBER},
    Verdict.DENY: {ChallengeOutcome.DENIED},
    Verdict.REPORT: {ChallengeOutcome.REPORTED},
}


def _check_taken(history: AccountHistory, message: Message, at: datetime, after: Account) -> None:
    """Check what must not have been taken, whatever came of it."""
    match message:
        case AuthResponse(purpose=Purpose.LOGIN):
            proof = verify_proof(message.challenge, message.answer)
            assert proof.device_id in history.phones.values(), "a phone was heard that is not paired"
            assert proof.issuer_key == LOGIN_KEY, "an answer to another issuer's challenge"
            assert proof.claims.jti in history.challenges, "an answer to what was never asked"
            if proof.verdict is Verdict.REPORT and not history.has_counted(proof):
                assert all(each.over for each in after.logins), "a login outlived a report"
                assert (after.sessions, after.remembered) == ((), ()), "a browser outlived a report"
        case SignIn():
            assert message.password_hash == history.password_hash, "a login by an old password"
            known = history.knows(message.browser_digest)
            assert not history.wrong_passwords.of(known=known).paused(at), "a password counted in a pause"
            assert not history.wrong_passwords.of(known=known).closed, "a password counted after too many wrong ones"
            assert not history.sign_ins.of(known=known).paused(at), "too many sign-ins were begun"
        case FailPassword():
            failures = history.wrong_passwords.of(known=history.knows(message.browser_digest))
            assert not failures.paused(at), "a wrong password did not count in a pause"
        case StartPairing():
            assert not history.wrong_phrases.paused(at), "a phrase counted in a pause"
        case Enrol() if history.needs_enrolment(message.login_id):
            failures = history.wrong_codes.of(known=history.knows_login(message.login_id))
            assert not failures.paused(at), "an enrolment code counted in a pause"
        case OpenAccount():
            assert not history.password_hash, "an account was opened over another"
        case SessionCommand() if not isinstance(message, EndSession):
            assert history.is_open(message.session_digest, at), "a command of a session that is over"
        case _:
            pass


def _check_kept_out(history: AccountHistory, message: Message, at: datetime, outcome: str) -> None:
    """A browser that the account knows is kept out by failures of known browsers alone, never by a stranger's."""
    match message:
        case SignIn() if outcome in {Rejection.LOCKED, Rejection.CLOSED, Rejection.TOO_MANY_SIGN_INS}:
            known = history.knows(message.browser_digest)
            failures, begun = history.wrong_passwords.of(known=known), history.sign_ins.of(known=known)
            assert failures.paused(at) or failures.closed or begun.paused(at), "kept out by others"
        case UseCode() | UseRecoveryCode() if outcome in {Rejection.CODES_PAUSED, Rejection.CODES_CLOSED}:
            kind = history.wrong_codes if isinstance(message, UseCode) else history.wrong_recovery_codes
            failures = kind.of(known=history.knows_login(message.login_id))
            assert failures.paused(at) or failures.closed, "a code was kept out by others"
        case _:
            pass


def _check_evicted(history: AccountHistory, message: Message, before: Account, after: Account) -> None:
    """A stranger's sign-in pushes no open login out of a browser that the account knows."""
    if not isinstance(message, SignIn) or history.knows(message.browser_digest):
        return
    there = {each.login_id for each in after.logins}
    for login in before.logins:
        pushed_out = login.login_id not in there and not login.over and login.expires_at >= message.at
        assert not (pushed_out and history.knows_login(login.login_id)), "a stranger pushed a login out"


def _check_sessions(before: Account | None, after: Account, approved: list[Login]) -> None:
    """A session comes of an approved sign-in alone, and is confirmed by an approved second factor alone."""
    known = {each.session_digest: each for each in before.sessions} if before else {}
    for session in after.sessions:
        was = known.get(session.session_digest)
        kind = LoginKind.SIGN_IN if was is None else LoginKind.CONFIRM
        by = [each for each in approved if each.kind is kind and each.session_digest == session.session_digest]
        if was is None:
            assert by, "a session out of nothing"
        if (was.confirmed_at if was is not None else None) != session.confirmed_at:
            assert [each for each in by if each.method is not Method.REMEMBERED], "confirmed by nothing"


def _check_methods(history: AccountHistory, message: Message, at: datetime, before: Account, after: Account) -> None:
    """Methods come by a pairing or a confirmed session, and the last one goes by an administrator alone."""
    if before.enrolled and not after.enrolled:
        assert isinstance(message, ResetMethods | RemoveAccount), "the last method is gone"
    came = {each.method_id for each in after.methods} - {each.method_id for each in before.methods}
    if not came:
        return
    if isinstance(message, AddApp):
        assert history.is_confirmed(message.session_digest, at), "an app from a session that is not confirmed"
        return
    assert isinstance(message, DevicePaired), "a method out of nothing"
    assert came == {message.pairing_id}
    login_id = history.pairings[message.pairing_id]
    begun = history.logins[login_id]
    if begun.kind is LoginKind.ADD_PHONE:
        return
    assert begun.kind is LoginKind.SIGN_IN
    assert begun.password_hash == history.password_hash, "paired by an old password"
    assert not history.methods, "a phone was paired beside another by the password alone"
    assert history.limits.enrolment is Enrolment.NOTHING or login_id in history.admitted, "paired without enrolment"


def _check_password(message: Message, before: Account, after: Account) -> None:
    changes = (ChangePassword, OpenAccount, RemoveAccount)
    renewed = isinstance(message, SignIn) and message.password_hash == before.password_hash
    assert (after.password_hash == before.password_hash) or renewed or isinstance(message, changes), "another password"


def _check_change(
    history: AccountHistory, message: Message, at: datetime, before: Account, decision: Decision[Account]
) -> None:
    """A session that is over, or did not confirm itself lately, changes nothing."""
    if not isinstance(message, CHANGES) or history.is_confirmed(message.session_digest, at):
        return
    assert decision.outcome != OK, "a change from a session that is not confirmed"
    assert decision.events == ()
    expired = expire(before, at, history.limits) if before.removed_at is None else before
    for field in ("devices", "apps", "recovery", "password_hash", "push", "history"):
        assert getattr(decision.row, field) == getattr(expired, field), field


def _check_browsers(after: Account) -> None:
    waiting = [each for each in after.logins if each.kind is LoginKind.SIGN_IN and not each.over]
    named = [each.browser_digest for each in waiting if each.browser_digest is not None]
    assert len(named) == len({*named}), "two sign-ins wait in one browser"


def _check_published(history: AccountHistory, message: Message, decision: Decision[Account]) -> None:
    withdrawn: set[str] = set()
    for each in decision.events:
        if isinstance(each, ChallengeEnded):
            withdrawn.add(each.challenge_id)
        elif isinstance(each, ChallengeIssued):
            _check_challenge(history, each, withdrawn)
        elif isinstance(each, DeviceUnpaired) and each.reason == "removed":
            assert isinstance(message, RemoveMethod | ResetMethods | RemoveAccount), "a phone was unpaired by nothing"
            assert history.phones.get(each.pairing_id) == each.device_id, "another phone was unpaired"


def _check_challenge(history: AccountHistory, issued: ChallengeIssued, withdrawn: Collection[str]) -> None:
    at, limits = issued.issued_at, history.limits
    others = [each for key, each in history.open_challenges.items() if key not in withdrawn]
    assert history.reported_at is None, "a phone is challenged after a report"
    assert not [each for each in others if at <= each.expires_at], "a second open challenge"
    window = timedelta(seconds=limits.challenges.window_seconds)
    assert sum(each > at - window for each in history.sent) < limits.challenges.most, "more challenges than the limit"
    assert not history.denials.paused(at), "a challenge in a pause"
    assert issued.device_id in history.phones.values(), "a phone is challenged that is not paired"
    assert issued.expires_at - at <= limits.challenge_lifetime


def _check_bounds(history: AccountHistory, account: Account) -> None:
    """Check that nothing in a row grows without end."""
    bounds = {
        "logins": MOST_LOGINS,
        "sessions": MOST_SESSIONS,
        "remembered": MOST_REMEMBERED,
        "known_browsers": MOST_KNOWN_BROWSERS,
        "history": 2 * MOST_HISTORY,
        "devices": MOST_PHONES,
        "apps": MOST_APPS,
        "enrolment_emails": history.limits.enrolment_emails.most,
    }
    for name, most in bounds.items():
        assert len(getattr(account, name)) <= most, name
