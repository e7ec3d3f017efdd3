"""What the phone's answer decides: only for exactly the request that was sent, in time, once."""

from datetime import datetime

import pytest

from schemas.contract import AuthResponse, ChallengeWithdrawn, Purpose, Verdict
from services.common.decisions import OK, UnacceptableError
from services.login.domain.prompts import LATE, MOST_SESSIONS, UNKNOWN
from services.login.domain.rows import EndReason, Happening, LoginState, Session
from tests.builders import LOGIN_URL, T0, a_browser, a_device, a_digest, a_key, a_phone, after, an_account
from tests.messages import a_cancel, a_challenge, a_response, a_send, a_sign_in, only
from tests.unit.login.owner import Owner

SESSION = a_digest("session of login-1")


def _asked() -> tuple[Owner, str]:
    owner = Owner()
    return owner, owner.prompt(a_sign_in())


def _a_session(name: str, at: datetime) -> Session:
    return Session(session_digest=a_digest(name), browser=a_browser(), started_at=T0, expires_at=at)


def test_approve_opens_the_session_of_the_browser_that_waits() -> None:
    owner, challenge = _asked()
    assert owner.take(a_response(challenge, at=after(10))).outcome == OK
    assert owner.login().state is LoginState.APPROVED
    session = owner.account.session(SESSION, after(11))
    assert session is not None
    assert (session.started_at, session.expires_at) == (after(10), after(minutes=12 * 60, seconds=10))
    assert session.browser == owner.login().browser
    assert owner.account.history[-1].what is Happening.SIGNED_IN
    assert owner.account.history[-1].device_name == a_phone().name


def test_a_session_ends_by_time_alone() -> None:
    owner, challenge = _asked()
    owner.take(a_response(challenge))
    assert owner.account.session(SESSION, after(minutes=12 * 60)) is not None
    assert owner.account.session(SESSION, after(minutes=12 * 60, seconds=1)) is None


def test_deny_ends_the_login() -> None:
    owner, challenge = _asked()
    assert owner.take(a_response(challenge, Verdict.DENY)).outcome == OK
    assert (owner.login().state, owner.login().end_reason) == (LoginState.ENDED, EndReason.DENIED)
    assert owner.account.sessions == ()
    assert owner.account.history[-1].what is Happening.LOGIN_DENIED


def test_deny_leaves_other_logins_pending() -> None:
    owner, challenge = _asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_response(challenge, Verdict.DENY, after(2)))
    assert owner.login("login-2").state is LoginState.READY


def test_a_report_ends_every_pending_login() -> None:
    owner, challenge = _asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_in("login-3", after(2)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert (decision.outcome, decision.events) == (OK, ())
    reasons = [login.end_reason for login in owner.account.logins]
    assert reasons == [EndReason.REPORTED, EndReason.REPORTED_ELSEWHERE, EndReason.REPORTED_ELSEWHERE]
    assert owner.account.sessions == ()
    assert owner.account.history[-1].what is Happening.LOGIN_REPORTED


def test_a_report_does_not_rewrite_how_earlier_logins_ended() -> None:
    owner, challenge = _asked()
    owner.take(a_response(challenge))
    second = owner.prompt(a_sign_in("login-2", after(1)))
    owner.take(a_response(second, Verdict.REPORT, after(2)))
    assert owner.login("login-1").state is LoginState.APPROVED
    assert owner.account.session(SESSION, after(3)) is not None


def test_a_report_that_crosses_a_cancel_still_ends_the_other_logins() -> None:
    owner, challenge = _asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    assert owner.take(a_response(challenge, Verdict.REPORT, after(2))).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.CANCELLED
    assert owner.login("login-2").end_reason is EndReason.REPORTED_ELSEWHERE


def test_such_a_report_takes_the_request_of_another_login_back_from_the_phone() -> None:
    owner, challenge = _asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    owner.prompt(a_send("login-2", after(3), "challenge-2"))
    withdrawn = only(owner.take(a_response(challenge, Verdict.REPORT, after(4))).events, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("challenge-2", a_phone().device_id)
    assert owner.account.open_prompt() is None


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_last_moment_is_in_time(verdict: Verdict) -> None:
    owner, challenge = _asked()
    assert owner.take(a_response(challenge, verdict, after(minutes=2))).outcome == OK


def test_an_approval_after_the_last_moment_is_too_late() -> None:
    owner, challenge = _asked()
    decision = owner.take(a_response(challenge, at=after(minutes=2, seconds=0.001)))
    assert (decision.outcome, decision.events) == (LATE, ())
    assert owner.login().end_reason is EndReason.NOT_ANSWERED
    assert owner.account.sessions == ()


def test_an_approval_of_a_cancelled_login_is_too_late() -> None:
    owner, challenge = _asked()
    owner.take(a_cancel(at=after(1)))
    assert owner.take(a_response(challenge, at=after(2))).outcome == LATE
    assert owner.login().end_reason is EndReason.CANCELLED
    assert owner.account.sessions == ()


@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_answer_counts(second: Verdict) -> None:
    owner, challenge = _asked()
    owner.take(a_response(challenge, Verdict.DENY, after(1)))
    login = owner.login()
    owner.take(a_response(challenge, second, after(2)))
    assert owner.login() == login
    assert owner.account.sessions == ()


def test_an_approval_twice_opens_one_session() -> None:
    owner, challenge = _asked()
    owner.take(a_response(challenge, at=after(1)))
    owner.take(a_response(challenge, at=after(2)))
    assert len(owner.account.sessions) == 1


def test_the_signed_verdict_counts_and_not_the_one_beside_it() -> None:
    owner, challenge = _asked()
    denied = a_response(challenge, Verdict.DENY).model_copy(update={"verdict": Verdict.APPROVE})
    owner.take(denied)
    assert owner.login().end_reason is EndReason.DENIED
    assert owner.account.sessions == ()


def test_another_paired_phone_cannot_answer_for_the_one_that_was_asked() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other))))
    challenge = owner.prompt(a_sign_in())
    with pytest.raises(UnacceptableError, match="another device answered"):
        owner.take(a_response(challenge, phone=other))


def test_a_phone_that_is_no_longer_paired_decides_nothing() -> None:
    owner, challenge = _asked()
    owner.account = owner.account.model_copy(update={"devices": ()})
    assert owner.take(a_response(challenge)).outcome == UNKNOWN
    assert owner.account.sessions == ()


def test_a_challenge_that_was_never_sent_decides_nothing() -> None:
    owner, _ = _asked()
    stray = _login_challenge(jti="login-9")
    assert owner.take(a_response(stray)).outcome == UNKNOWN
    assert owner.login().state is LoginState.PROMPTED


def _login_challenge(key: str = "login service", **changes: object) -> str:
    claims: dict[str, object] = {
        "iss": LOGIN_URL,
        "jti": "login-1",
        "purpose": Purpose.LOGIN,
        "reply_key": "alex",
        "login_issuer": None,
    }
    return a_challenge(None, a_key(key), **{**claims, **changes})


def _altered(response: AuthResponse, field: str) -> AuthResponse:
    text: str = getattr(response, field)
    changed = text[:-20] + ("A" if text[-20] != "A" else "B") + text[-19:]
    return response.model_copy(update={field: changed})


FORGERIES = {
    "signed by somebody else's key": a_response(_login_challenge("mallory")),
    "signed by the pairing service": a_response(_login_challenge("pairing service")),
    "of another account": a_response(_login_challenge(account_id="bo"), reply_key="alex"),
    "of a pairing": a_response(_login_challenge(purpose=Purpose.PAIRING), purpose=Purpose.LOGIN),
    "to another challenge": a_response(_login_challenge()).model_copy(
        update={"answer": a_phone().answer(_login_challenge(jti="login-9"))}
    ),
    "by another device": a_response(_login_challenge(), phone=a_phone("Mallory's phone")),
    "with an altered answer": _altered(a_response(_login_challenge()), "answer"),
    "with an altered challenge": _altered(a_response(_login_challenge()), "challenge"),
    "with the challenge for an answer": a_response(_login_challenge()).model_copy(
        update={"answer": _login_challenge()}
    ),
}


@pytest.mark.parametrize("response", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_is_set_aside(response: AuthResponse) -> None:
    owner, _ = _asked()
    before = owner.account
    with pytest.raises(UnacceptableError, match="forged response"):
        owner.take(response)
    assert owner.account == before


def test_the_answer_that_the_forgeries_imitate_is_taken() -> None:
    owner, challenge = _asked()
    assert challenge == _login_challenge()
    assert owner.take(a_response(_login_challenge())).outcome == OK


def test_a_request_signed_by_a_key_that_was_rotated_out_lately_is_still_answered() -> None:
    old, new = a_key("login service"), a_key("next login key")
    accepted = (new.public.thumbprint, old.public.thumbprint)
    challenge = Owner().prompt(a_sign_in())
    owner = Owner(key=new, accepted_keys=accepted)
    owner.take(a_sign_in())
    assert owner.take(a_response(challenge)).outcome == OK


def test_the_response_to_a_pairing_does_not_concern_an_account() -> None:
    owner, _ = _asked()
    before = owner.account
    decision = owner.take(a_response(a_challenge()))
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert decision.row.model_copy(update={"applied": before.applied, "latest": before.latest}) == before


def test_the_sessions_of_an_account_are_bounded_and_the_newest_stay() -> None:
    sessions = tuple(_a_session(f"old {number}", after(minutes=60)) for number in range(MOST_SESSIONS))
    owner = Owner(an_account(sessions=sessions))
    owner.take(a_response(owner.prompt(a_sign_in()), at=after(1)))
    assert len(owner.account.sessions) == MOST_SESSIONS
    assert owner.account.session(SESSION, after(2)) is not None
    assert owner.account.session(a_digest("old 0"), after(2)) is None


def test_a_request_can_be_sent_again_in_a_new_login_after_it_was_not_answered() -> None:
    owner, _ = _asked()
    owner.take(a_sign_in("login-2", after(1)))
    late = after(minutes=2, seconds=1)
    assert owner.take(a_response(owner.prompt(a_send("login-2", late)), at=late)).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.NOT_ANSWERED
    assert owner.login("login-2").state is LoginState.APPROVED
