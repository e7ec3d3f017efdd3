"""A report ends all open logins and sessions, and keeps how earlier logins ended.

test_locked_push.py checks that no challenge is sent after it.
"""

from protocol.challenges import verify_proof
from schemas.contract import ChallengeWithdrawn, PairingWithdrawn, Verdict
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.account import Reported
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginState
from tests.builders import a_browser, a_digest, a_phone, a_remembered_browser, a_session, after, an_account
from tests.events import a_response, only
from tests.messages import a_cancel, a_pairing_start, a_send, a_sign_in
from tests.session_messages import a_further_phone
from tests.unit.login.owner import Owner, asked

SESSION = a_digest("session of login-1")


def test_a_report_ends_every_open_login() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_in("login-3", after(2)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert (decision.outcome, decision.events) == (OK, ())
    reasons = [login.end_reason for login in owner.account.logins]
    assert reasons == [EndReason.REPORTED, EndReason.REPORTED_ELSEWHERE, EndReason.REPORTED_ELSEWHERE]
    assert owner.account.sessions == ()
    assert [entry.what for entry in owner.account.history[-2:]] == [HistoryKind.LOGIN_REPORTED, HistoryKind.PUSH_LOCKED]


def test_a_report_ends_sessions_but_keeps_how_earlier_logins_ended() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge))
    assert owner.account.session(SESSION, after(1)) is not None
    second = owner.challenge(a_sign_in("login-2", after(1)))
    owner.take(a_response(second, Verdict.REPORT, after(2)))
    assert owner.login("login-1").state is LoginState.APPROVED
    assert owner.account.sessions == ()


def test_a_report_forgets_every_remembered_browser() -> None:
    owner, challenge = asked(an_account(remembered=(a_remembered_browser(), a_remembered_browser("another"))))
    owner.take(a_response(challenge, Verdict.REPORT, after(1)))
    assert owner.account.remembered == ()


def test_a_report_records_the_attempt_and_requires_a_new_password() -> None:
    owner = Owner()
    mallory = a_browser(name="Chrome on Windows", address="203.0.113.9", place="Nowhere")
    challenge = owner.challenge(a_sign_in(browser=mallory))
    owner.take(a_response(challenge, Verdict.REPORT, after(7)))
    assert owner.account.push.reported == Reported(browser=mallory, started_at=after(), at=after(7))
    assert owner.account.password_change_due
    assert owner.account.history[-2].browser == mallory


def test_a_report_sends_an_email_with_the_reported_browser() -> None:
    owner, challenge = asked(an_account(email="alex@example.org"))
    mail = only(owner.take(a_response(challenge, Verdict.REPORT, after(1))).events, EmailDue)
    assert (mail.kind, mail.browser, mail.at) == (EmailKind.SIGN_IN_REPORTED, a_browser(), after(1))


def test_a_report_withdraws_the_pairing_of_a_further_phone() -> None:
    owner = Owner(an_account(sessions=(a_session(),)))
    owner.take(a_further_phone())
    owner.take(a_pairing_start(at=after(1), login_id="add-1"))
    challenge = owner.challenge(a_sign_in(at=after(2)))
    withdrawn = only(owner.take(a_response(challenge, Verdict.REPORT, after(3))).events, PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-1"
    assert owner.login("add-1").end_reason is EndReason.REPORTED_ELSEWHERE


def test_an_approved_challenge_can_still_be_reported() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, at=after(1)))
    assert owner.take(a_response(challenge, Verdict.REPORT, after(2))).outcome == OK
    assert owner.account.sessions == ()
    assert owner.account.push.reported is not None


def test_a_report_needs_no_number() -> None:
    owner, challenge = asked()
    response = a_response(challenge, Verdict.REPORT)
    assert verify_proof(response.challenge, response.answer).number is None
    assert owner.take(response).outcome == OK
    assert owner.account.push.reported is not None


def test_a_report_after_a_cancel_ends_the_other_logins() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    assert owner.take(a_response(challenge, Verdict.REPORT, after(2))).outcome == OK
    assert owner.login("login-1").end_reason is EndReason.CANCELLED
    assert owner.login("login-2").end_reason is EndReason.REPORTED_ELSEWHERE


def test_a_report_after_a_cancel_withdraws_another_logins_challenge() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    owner.challenge(a_send("login-2", after(3), "challenge-2"))
    withdrawn = only(owner.take(a_response(challenge, Verdict.REPORT, after(4))).events, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("challenge-2", a_phone().device_id)
    assert owner.account.open_challenge() is None


def test_a_report_ends_the_other_logins_at_its_own_time() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert [each.ended_at for each in owner.account.logins] == [after(3), after(3)]
