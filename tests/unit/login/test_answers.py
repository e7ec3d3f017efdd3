"""Answers to a challenge: only genuine ones to the challenge that was sent, in time, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from protocol.challenges import verify_proof
from schemas.contract import AuthResponse, ChallengeEnded, ChallengeOutcome, Purpose, Verdict
from services.common.decisions import OK, Decision, UnacceptableError
from services.login.domain.account import Account, Session
from services.login.domain.approval import MOST_SESSIONS
from services.login.domain.expire import expire
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import (
    LIMITS,
    a_device,
    a_digest,
    a_key,
    a_phone,
    a_session,
    after,
    an_account,
    number_of,
    present,
    recovery_codes,
)
from tests.events import a_challenge, a_login_challenge, a_response, end_in, only
from tests.messages import a_cancel, a_code, a_recovery_code, a_send, a_sign_in
from tests.rows import without_memory
from tests.session_messages import a_confirmation, a_password_change
from tests.unit.login.owner import Owner, asked, same, signed_in

SESSION = a_digest("session of login-1")


def _answer_id(challenge: str, verdict: Verdict) -> str:
    response = a_response(challenge, verdict)
    return verify_proof(response.challenge, response.answer).answer_id


def _a_session(name: str, at: datetime) -> Session:
    return a_session(name, expires_at=at)


def test_an_approval_opens_a_session_in_the_waiting_browser() -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, at=after(10))).outcome == OK
    assert owner.login().state is LoginState.APPROVED
    session = present(owner.account.session(SESSION, after(11)))
    assert (session.started_at, session.expires_at) == (after(10), after(minutes=12 * 60, seconds=10))
    assert session.browser == owner.login().browser
    assert owner.account.history[-1].what is HistoryKind.SIGNED_IN
    assert owner.account.history[-1].device_name == a_phone().name


def test_a_session_expires() -> None:
    owner = Owner(session_idle_seconds=24 * 60 * 60)
    challenge = owner.challenge(a_sign_in())
    owner.take(a_response(challenge))
    assert owner.account.session(SESSION, after(minutes=12 * 60)) is not None
    assert owner.account.session(SESSION, after(minutes=12 * 60, seconds=1)) is None


def test_a_denial_ends_the_login() -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, Verdict.DENY)).outcome == OK
    assert (owner.login().state, owner.login().end_reason) == (LoginState.ENDED, EndReason.DENIED)
    assert owner.account.sessions == ()
    assert owner.account.history[-1].what is HistoryKind.LOGIN_DENIED


def test_a_denial_keeps_other_logins_open() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_response(challenge, Verdict.DENY, after(2)))
    assert owner.login("login-2").state is LoginState.READY


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_answer_at_the_last_moment_counts(verdict: Verdict) -> None:
    owner, challenge = asked()
    assert owner.take(a_response(challenge, verdict, after(minutes=2))).outcome == OK


def test_an_approval_after_the_last_moment_is_late() -> None:
    owner, challenge = asked()
    decision = owner.take(a_response(challenge, at=after(minutes=2, seconds=0.001)))
    assert decision.outcome == Rejection.LATE
    assert only(decision.events, ChallengeEnded).outcome is ChallengeOutcome.EXPIRED
    assert owner.login().end_reason is EndReason.NOT_ANSWERED
    assert owner.account.sessions == ()


def test_an_approval_of_a_cancelled_login_is_late() -> None:
    owner, challenge = asked()
    owner.take(a_cancel(at=after(1)))
    assert owner.take(a_response(challenge, at=after(2))).outcome == Rejection.LATE
    assert owner.login().end_reason is EndReason.CANCELLED
    assert owner.account.sessions == ()


@pytest.mark.parametrize(("first", "second"), [(Verdict.APPROVE, Verdict.DENY), (Verdict.DENY, Verdict.APPROVE)])
def test_the_first_answer_counts(first: Verdict, second: Verdict) -> None:
    owner, challenge = asked()
    end = end_in(owner.take(a_response(challenge, first, after(1))).events)
    before = owner.account
    other = owner.take(a_response(challenge, second, after(2)))
    assert (other.outcome, other.events) == (Rejection.LATE, (end,))
    assert (end.verdict, end.answer_id) == (first, _answer_id(challenge, first))
    assert same(owner.account, before)


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("late_seconds", [0, 600])
def test_the_same_answer_again_changes_nothing_and_has_the_same_outcome(verdict: Verdict, late_seconds: int) -> None:
    owner, challenge = asked()
    end = end_in(owner.take(a_response(challenge, verdict, after(1))).events)
    before = expire(owner.account, after(2 + late_seconds), LIMITS)
    answer = a_phone().answer(challenge, verdict, nonce="another nonce")
    again = owner.take(a_response(challenge, verdict, after(2 + late_seconds), answer=answer))
    assert (again.outcome, again.events) == (OK, (end,))
    assert same(owner.account, before)


def test_the_next_number_is_another_answer() -> None:
    owner, challenge = asked()
    wrong = 10 + (number_of("login-1") - 9) % 90
    end = end_in(owner.take(a_response(challenge, at=after(1), number=wrong)).events)
    assert end.outcome is ChallengeOutcome.WRONG_NUMBER
    right = owner.take(a_response(challenge, at=after(2)))
    assert (right.outcome, right.events) == (Rejection.LATE, (end,))
    assert end.answer_id != _answer_id(challenge, Verdict.APPROVE)
    assert owner.account.sessions == ()


OUTCOMES = {
    Verdict.APPROVE: ChallengeOutcome.APPROVED,
    Verdict.DENY: ChallengeOutcome.DENIED,
    Verdict.REPORT: ChallengeOutcome.REPORTED,
}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_phone_is_told_how_its_answer_counts(verdict: Verdict) -> None:
    owner, challenge = asked()
    end = only(owner.take(a_response(challenge, verdict, after(1))).events, ChallengeEnded)
    assert end == ChallengeEnded(
        challenge_id="login-1",
        device_id=a_phone().device_id,
        outcome=OUTCOMES[verdict],
        verdict=verdict,
        answer_id=_answer_id(challenge, verdict),
    )


def test_the_phone_is_told_that_its_approval_confirms_a_change() -> None:
    owner = signed_in()
    owner.take(a_confirmation())
    challenge = owner.challenge(a_send("confirm-1", after(1)))
    end = only(owner.take(a_response(challenge, at=after(2))).events, ChallengeEnded)
    assert end.outcome is ChallengeOutcome.APPROVED


def _by_code(owner: Owner) -> Decision[Account]:
    return owner.take(a_code(at=after(5)))


def _by_recovery_code(owner: Owner) -> Decision[Account]:
    return owner.take(a_recovery_code(at=after(5)))


def _by_cancelling(owner: Owner) -> Decision[Account]:
    return owner.take(a_cancel(at=after(5)))


def _by_a_new_password(owner: Owner) -> Decision[Account]:
    return owner.take(a_password_change(after(5)))


WAYS_TO_END = {
    "code": (_by_code, ChallengeOutcome.ANSWERED_ELSEWHERE),
    "recovery code": (_by_recovery_code, ChallengeOutcome.ANSWERED_ELSEWHERE),
    "cancelled": (_by_cancelling, ChallengeOutcome.WITHDRAWN),
    "new password": (_by_a_new_password, ChallengeOutcome.WITHDRAWN),
}


@pytest.mark.parametrize(("end", "outcome"), WAYS_TO_END.values(), ids=WAYS_TO_END.keys())
def test_the_phone_is_told_that_its_request_ended_otherwise(
    end: Callable[[Owner], Decision[Account]], outcome: ChallengeOutcome
) -> None:
    owner, challenge = asked(an_account(sessions=(a_session(),), recovery=recovery_codes("code 1")))
    told = only(end(owner).events, ChallengeEnded)
    assert (told.challenge_id, told.outcome, told.verdict, told.answer_id) == ("login-1", outcome, None, None)
    late = owner.take(a_response(challenge, at=after(6)))
    assert (late.outcome, late.events) == (Rejection.LATE, (told,))


def test_the_signed_verdict_overrides_the_unsigned_one() -> None:
    owner, challenge = asked()
    denied = a_response(challenge, Verdict.DENY).model_copy(update={"verdict": Verdict.APPROVE})
    owner.take(denied)
    assert owner.login().end_reason is EndReason.DENIED
    assert owner.account.sessions == ()


def test_an_answer_by_an_unpaired_phone_is_rejected() -> None:
    owner, challenge = asked()
    owner.account = replace(owner.account, devices=())
    decision = owner.take(a_response(challenge))
    assert decision.outcome == Rejection.UNKNOWN
    assert only(decision.events, ChallengeEnded).outcome is ChallengeOutcome.WITHDRAWN
    assert owner.account.sessions == ()


def test_an_answer_to_an_unsent_challenge_is_rejected() -> None:
    owner, _ = asked()
    stray = a_login_challenge(jti="login-9")
    decision = owner.take(a_response(stray))
    assert decision.outcome == Rejection.UNKNOWN
    end = only(decision.events, ChallengeEnded)
    assert (end.challenge_id, end.device_id) == ("login-9", a_phone().device_id)
    assert (end.outcome, end.verdict, end.answer_id) == (ChallengeOutcome.WITHDRAWN, None, None)
    assert owner.login().state is LoginState.CHALLENGED


def test_a_response_to_a_pairing_changes_no_account() -> None:
    owner, _ = asked()
    before = owner.account
    decision = owner.take(a_response(a_challenge()))
    assert (decision.outcome, decision.events) == (OK, ())
    assert without_memory(present(decision.row)) == without_memory(before)


def test_sessions_are_bounded_and_the_oldest_is_dropped() -> None:
    sessions = tuple(_a_session(f"old {number}", after(minutes=60)) for number in range(MOST_SESSIONS))
    owner = Owner(an_account(sessions=sessions))
    owner.take(a_response(owner.challenge(a_sign_in()), at=after(1)))
    assert len(owner.account.sessions) == MOST_SESSIONS
    assert owner.account.session(SESSION, after(2)) is not None
    assert owner.account.session(a_digest("old 0"), after(2)) is None


def test_another_login_can_send_a_challenge_after_an_unanswered_one() -> None:
    owner, _ = asked()
    owner.take(a_sign_in("login-2", after(1)))
    late = after(minutes=2, seconds=1)
    assert owner.take(a_response(owner.challenge(a_send("login-2", late)), at=late)).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.NOT_ANSWERED
    assert owner.login("login-2").state is LoginState.APPROVED


def test_another_paired_phone_cannot_answer_the_challenge() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other))))
    challenge = owner.challenge(a_sign_in())
    with pytest.raises(UnacceptableError, match="another device answered"):
        owner.take(a_response(challenge, phone=other))


def _altered(response: AuthResponse, field: str) -> AuthResponse:
    text: str = getattr(response, field)
    changed = text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]
    return response.model_copy(update={field: changed})


FORGERIES = {
    "signed by another key": a_response(a_login_challenge(key=a_key("mallory"))),
    "signed by the pairing service": a_response(a_login_challenge(key=a_key("pairing service"))),
    "of another account": a_response(a_login_challenge(account_id="bo"), reply_key="alex"),
    "of a pairing": a_response(a_login_challenge(purpose=Purpose.PAIRING), purpose=Purpose.LOGIN),
    "to another challenge": a_response(a_login_challenge()).model_copy(
        update={"answer": a_phone().answer(a_login_challenge(jti="login-9"))}
    ),
    "by another device": a_response(a_login_challenge(), phone=a_phone("Mallory's phone")),
    "with an altered answer": _altered(a_response(a_login_challenge()), "answer"),
    "with an altered challenge": _altered(a_response(a_login_challenge()), "challenge"),
    "with the challenge for an answer": a_response(a_login_challenge()).model_copy(
        update={"answer": a_login_challenge()}
    ),
}


@pytest.mark.parametrize("response", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_is_dead_lettered(response: AuthResponse) -> None:
    owner, _ = asked()
    before = owner.account
    with pytest.raises(UnacceptableError, match="forged response"):
        owner.take(response)
    assert owner.account == before


def test_the_genuine_answer_is_accepted() -> None:
    owner, challenge = asked()
    assert challenge == a_login_challenge()
    assert owner.take(a_response(a_login_challenge())).outcome == OK


def test_a_challenge_signed_by_a_recently_rotated_key_can_be_answered() -> None:
    old, new = a_key("login service"), a_key("next login key")
    accepted = (new.public.thumbprint, old.public.thumbprint)
    challenge = Owner().challenge(a_sign_in())
    owner = Owner(key=new, accepted_keys=accepted)
    owner.take(a_sign_in())
    assert owner.take(a_response(challenge)).outcome == OK


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ("of another account", "its challenge is for another login"),
        ("of a pairing", "its challenge is for another login"),
        ("to another challenge", "the answer is to another challenge"),
        ("by another device", "another device answered"),
    ],
)
def test_the_reason_says_what_is_forged(forgery: str, reason: str) -> None:
    owner, _ = asked()
    with pytest.raises(UnacceptableError, match=f"^forged response: {reason}$"):
        owner.take(FORGERIES[forgery])
