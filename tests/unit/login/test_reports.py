"""It wasn't me: a report ends every pending login of the account, and nothing that was decided before."""

from schemas.contract import ChallengeWithdrawn, Verdict
from services.common.decisions import OK
from services.login.domain.happenings import Happening
from services.login.domain.logins import EndReason, LoginState
from tests.builders import a_digest, a_phone, after
from tests.events import a_response, only
from tests.messages import a_cancel, a_send, a_sign_in
from tests.unit.login.owner import asked

SESSION = a_digest("session of login-1")


def test_a_report_ends_every_pending_login() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_in("login-3", after(2)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert (decision.outcome, decision.events) == (OK, ())
    reasons = [login.end_reason for login in owner.account.logins]
    assert reasons == [EndReason.REPORTED, EndReason.REPORTED_ELSEWHERE, EndReason.REPORTED_ELSEWHERE]
    assert owner.account.sessions == ()
    assert owner.account.history[-1].what is Happening.LOGIN_REPORTED


def test_a_report_does_not_rewrite_how_earlier_logins_ended() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    second = owner.prompt(a_sign_in("login-2", after(1)))
    owner.take(a_response(second, Verdict.REPORT, after(2)))
    assert owner.login("login-1").state is LoginState.APPROVED
    assert owner.account.session(SESSION, after(3)) is not None


def test_a_report_that_crosses_a_cancel_still_ends_the_other_logins() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    assert owner.take(a_response(challenge, Verdict.REPORT, after(2))).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.CANCELLED
    assert owner.login("login-2").end_reason is EndReason.REPORTED_ELSEWHERE


def test_such_a_report_takes_the_request_of_another_login_back_from_the_phone() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    owner.prompt(a_send("login-2", after(3), "challenge-2"))
    withdrawn = only(owner.take(a_response(challenge, Verdict.REPORT, after(4))).events, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("challenge-2", a_phone().device_id)
    assert owner.account.open_prompt() is None
