"""What the phone's answer decides: only for exactly the request that was sent, in time, once."""

from dataclasses import replace
from datetime import datetime

import pytest

from schemas.contract import Verdict
from services.common.decisions import OK
from services.login.domain.account import Session
from services.login.domain.approval import MOST_SESSIONS
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import a_digest, a_phone, a_session, after, an_account
from tests.events import a_challenge, a_login_challenge, a_response
from tests.messages import a_cancel, a_send, a_sign_in
from tests.rows import without_memory
from tests.unit.login.owner import Owner, asked

SESSION = a_digest("session of login-1")


def _a_session(name: str, at: datetime) -> Session:
    return a_session(name, expires_at=at)


def test_approve_opens_the_session_of_the_browser_that_waits() -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, at=after(10))).outcome == OK
    assert owner.login().state is LoginState.APPROVED
    session = owner.account.session(SESSION, after(11))
    assert session is not None
    assert (session.started_at, session.expires_at) == (after(10), after(minutes=12 * 60, seconds=10))
    assert session.browser == owner.login().browser
    assert owner.account.history[-1].what is HistoryKind.SIGNED_IN
    assert owner.account.history[-1].device_name == a_phone().name


def test_a_session_ends_by_time_alone() -> None:
    owner = Owner(session_idle_seconds=24 * 60 * 60)
    challenge = owner.challenge(a_sign_in())
    owner.take(a_response(challenge))
    assert owner.account.session(SESSION, after(minutes=12 * 60)) is not None
    assert owner.account.session(SESSION, after(minutes=12 * 60, seconds=1)) is None


def test_deny_ends_the_login() -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, Verdict.DENY)).outcome == OK
    assert (owner.login().state, owner.login().end_reason) == (LoginState.ENDED, EndReason.DENIED)
    assert owner.account.sessions == ()
    assert owner.account.history[-1].what is HistoryKind.LOGIN_DENIED


def test_deny_leaves_other_logins_pending() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_response(challenge, Verdict.DENY, after(2)))
    assert owner.login("login-2").state is LoginState.READY


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_last_moment_is_in_time(verdict: Verdict) -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, verdict, after(minutes=2))).outcome == OK


def test_an_approval_after_the_last_moment_is_too_late() -> None:
    owner, challenge = asked()
    decision = owner.take(a_response(challenge, at=after(minutes=2, seconds=0.001)))
    assert (decision.outcome, decision.events) == (Rejection.LATE, ())
    assert owner.login().end_reason is EndReason.NOT_ANSWERED
    assert owner.account.sessions == ()


def test_an_approval_of_a_cancelled_login_is_too_late() -> None:
    owner, challenge = asked()
    owner.take(a_cancel(at=after(1)))
    assert owner.take(a_response(challenge, at=after(2))).outcome == Rejection.LATE
    assert owner.login().end_reason is EndReason.CANCELLED
    assert owner.account.sessions == ()


@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_answer_counts(second: Verdict) -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, Verdict.DENY, after(1)))
    login = owner.login()
    owner.take(a_response(challenge, second, after(2)))
    assert owner.login() == login
    assert owner.account.sessions == ()


def test_an_approval_twice_opens_one_session() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, at=after(1)))
    owner.take(a_response(challenge, at=after(2)))
    assert len(owner.account.sessions) == 1


def test_the_signed_verdict_counts_and_not_the_one_beside_it() -> None:
    owner, challenge = asked()
    denied = a_response(challenge, Verdict.DENY).model_copy(update={"verdict": Verdict.APPROVE})
    owner.take(denied)
    assert owner.login().end_reason is EndReason.DENIED
    assert owner.account.sessions == ()


def test_a_phone_that_is_no_longer_paired_decides_nothing() -> None:
    owner, challenge = asked()
    owner.account = replace(owner.account, devices=())
    assert owner.take(a_response(challenge)).outcome == Rejection.UNKNOWN
    assert owner.account.sessions == ()


def test_a_challenge_that_was_never_sent_decides_nothing() -> None:
    owner, _ = asked()
    stray = a_login_challenge(jti="login-9")
    assert owner.take(a_response(stray)).outcome == Rejection.UNKNOWN
    assert owner.login().state is LoginState.CHALLENGED


def test_the_response_to_a_pairing_does_not_concern_an_account() -> None:
    owner, _ = asked()
    before = owner.account
    decision = owner.take(a_response(a_challenge()))
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert without_memory(decision.row) == without_memory(before)


def test_the_sessions_of_an_account_are_bounded_and_the_newest_stay() -> None:
    sessions = tuple(_a_session(f"old {number}", after(minutes=60)) for number in range(MOST_SESSIONS))
    owner = Owner(an_account(sessions=sessions))
    owner.take(a_response(owner.challenge(a_sign_in()), at=after(1)))
    assert len(owner.account.sessions) == MOST_SESSIONS
    assert owner.account.session(SESSION, after(2)) is not None
    assert owner.account.session(a_digest("old 0"), after(2)) is None


def test_a_request_can_be_sent_again_in_a_new_login_after_it_was_not_answered() -> None:
    owner, _ = asked()
    owner.take(a_sign_in("login-2", after(1)))
    late = after(minutes=2, seconds=1)
    assert owner.take(a_response(owner.challenge(a_send("login-2", late)), at=late)).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.NOT_ANSWERED
    assert owner.login("login-2").state is LoginState.APPROVED
