"""A report ends all open logins and sessions, and locks push until the password changes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from protocol.challenges import verify_proof
from schemas.contract import ChallengeEnded, ChallengeIssued, ChallengeOutcome, PairingWithdrawn, Verdict
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.account import Reported
from services.login.domain.history import HistoryKind, Method
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import (
    a_browser,
    a_device,
    a_digest,
    a_phone,
    a_remembered_browser,
    a_session,
    after,
    an_account,
    recovery_codes,
)
from tests.events import a_paired, a_response, end_in, only, without_end
from tests.messages import a_cancel, a_code, a_pairing_start, a_recovery_code, a_send, a_sign_in, an_enrolment
from tests.session_messages import (
    a_confirmation,
    a_further_phone,
    a_password_change,
    a_reset,
    an_invitation,
)
from tests.unit.login.owner import Owner, asked, same, signed_in

SESSION = a_digest("session of login-1")
FAIR = a_phone("Fairphone 5")
BACK = a_digest("session of back")


def test_a_report_ends_every_open_login() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_sign_in("login-3", after(2)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert (decision.outcome, without_end(decision.events)) == (OK, ())
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
    mail = only(without_end(owner.take(a_response(challenge, Verdict.REPORT, after(1))).events), EmailDue)
    assert (mail.kind, mail.browser, mail.at) == (EmailKind.SIGN_IN_REPORTED, a_browser(), after(1))


def test_a_report_withdraws_the_pairing_of_a_further_phone() -> None:
    owner = Owner(an_account(sessions=(a_session(),)))
    owner.take(a_further_phone())
    owner.take(a_pairing_start(at=after(1), login_id="add-1"))
    challenge = owner.challenge(a_sign_in(at=after(2)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    withdrawn = only(without_end(decision.events), PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-1"
    assert owner.login("add-1").end_reason is EndReason.REPORTED_ELSEWHERE


def test_an_approved_challenge_can_still_be_reported() -> None:
    owner, challenge = asked()
    owner.take(a_response(challenge, at=after(1)))
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(2)))
    assert decision.outcome == OK
    assert end_in(decision.events).outcome is ChallengeOutcome.REPORTED
    assert owner.account.sessions == ()
    assert owner.account.push.reported is not None


@pytest.mark.parametrize("first", [*Verdict, None])
def test_a_report_counts_once(first: Verdict | None) -> None:
    """Its repetition comes after a new password, when the owner has signed in again."""
    owner, challenge = asked()
    if first is not None:
        owner.take(a_response(challenge, first, after(1)))
    report = a_response(challenge, Verdict.REPORT, after(2))
    reported = end_in(owner.take(report).events)
    owner.take(a_sign_in("back", after(30)))
    owner.take(a_code(login_id="back", at=after(31)))
    owner.take(a_password_change(after(40), session_digest=BACK))
    before = owner.account
    for seconds, nonce in ((41, "nonce"), (90, "another")):
        answer = a_phone().answer(challenge, Verdict.REPORT, nonce=nonce)
        again = owner.take(a_response(challenge, Verdict.REPORT, after(seconds), answer=answer))
        assert (again.outcome, again.events) == (OK, (reported,))
    assert same(owner.account, before)
    assert owner.account.session(BACK, after(90)) is not None
    assert owner.account.push.reported is None


def test_after_a_report_another_answer_is_late() -> None:
    owner, challenge = asked()
    reported = end_in(owner.take(a_response(challenge, Verdict.REPORT, after(1))).events)
    for number, verdict in enumerate((Verdict.APPROVE, Verdict.DENY)):
        late = owner.take(a_response(challenge, verdict, after(2 + number)))
        assert (late.outcome, late.events) == (Rejection.LATE, (reported,))
    assert owner.account.sessions == ()


def test_a_report_after_the_request_expired_counts() -> None:
    owner, challenge = asked()
    decision = owner.take(a_response(challenge, Verdict.REPORT, after(minutes=3)))
    assert decision.outcome == OK
    assert end_in(decision.events).outcome is ChallengeOutcome.REPORTED
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
    withdrawn, reported = owner.take(a_response(challenge, Verdict.REPORT, after(4))).events
    assert isinstance(withdrawn, ChallengeEnded)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("challenge-2", a_phone().device_id)
    assert (withdrawn.outcome, withdrawn.verdict) == (ChallengeOutcome.WITHDRAWN, None)
    assert isinstance(reported, ChallengeEnded)
    assert (reported.challenge_id, reported.outcome) == ("login-1", ChallengeOutcome.REPORTED)
    assert owner.account.open_challenge() is None


def test_a_report_ends_the_other_logins_at_its_own_time() -> None:
    owner, challenge = asked()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_response(challenge, Verdict.REPORT, after(3)))
    assert [each.ended_at for each in owner.account.logins] == [after(3), after(3)]


def _reported() -> Owner:
    """Return an account with two phones whose owner reported a sign-in half a minute ago."""
    devices = (a_device(), a_device(FAIR, pairing_id="pairing-2"))
    owner, challenge = asked(an_account(devices=devices))
    owner.take(a_response(challenge, Verdict.REPORT, after(1)))
    return owner


def _signed_in_again() -> Owner:
    """Return that account once its owner has come in by a code, in the session of the login ``back``."""
    owner = _reported()
    owner.take(a_sign_in("back", after(30)))
    assert owner.take(a_code(login_id="back", at=after(31))).outcome == OK
    assert owner.account.session(BACK, after(32)) is not None
    return owner


def _sign_in(owner: Owner) -> None:
    decision = owner.take(a_sign_in("again", after(40)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("again").state is LoginState.READY


def _send(owner: Owner) -> None:
    owner.take(a_sign_in("again", after(40)))
    for phone in (None, a_phone().device_id, FAIR.device_id):
        owner.refuse(a_send("again", after(41), device_id=phone), Rejection.PUSH_LOCKED)


def _confirm(owner: Owner) -> None:
    owner.take(a_confirmation(at=after(40), session_digest=BACK))
    owner.refuse(a_send("confirm-1", after(41)), Rejection.PUSH_LOCKED)


def _pair_a_further_phone(owner: Owner) -> None:
    owner.refuse(a_further_phone(at=after(40), session_digest=BACK), Rejection.PASSWORD_CHANGE_DUE)


def _wait_for_long(owner: Owner) -> None:
    owner.take(a_sign_in("again", after(minutes=60 * 24 * 365)))
    owner.refuse(a_send("again", after(minutes=60 * 24 * 365)), Rejection.PUSH_LOCKED)


@pytest.mark.parametrize("way", [_sign_in, _send, _confirm, _pair_a_further_phone, _wait_for_long])
def test_a_locked_account_sends_no_challenge(way: Callable[[Owner], None]) -> None:
    owner = _signed_in_again()
    way(owner)
    assert owner.account.push.reported is not None
    assert owner.account.open_challenge() is None


def test_a_reset_does_not_unlock_push() -> None:
    owner = _signed_in_again()
    owner.take(a_reset(after(40)))
    owner.take(a_sign_in("anew", after(50)))
    owner.take(a_pairing_start("pairing-9", after(51), login_id="anew"))
    owner.take(a_paired("pairing-9", after(52)))
    assert owner.login("anew").state is LoginState.PAIRED
    refused = owner.take(a_send("anew", after(53)))
    assert (refused.outcome, refused.events) == (Rejection.PUSH_LOCKED, ())
    assert owner.account.password_change_due
    assert owner.take(a_code(login_id="anew", at=after(54), method_id="pairing-9")).outcome == OK


def test_an_invitation_does_not_unlock_push() -> None:
    owner = Owner(_signed_in_again().account, enrolment="invitation")
    owner.take(an_invitation(at=after(40)))
    owner.take(a_sign_in("again", after(41)))
    owner.take(an_enrolment("again", after(42), invitation_digest=a_digest("invitation")))
    assert owner.take(a_send("again", after(43))).events == ()


def test_codes_and_recovery_codes_still_sign_in() -> None:
    owner = _signed_in_again()
    owner.account = replace(owner.account, recovery=recovery_codes("code 1"))
    owner.take(a_sign_in("again", after(41)))
    owner.take(a_recovery_code(login_id="again", at=after(42)))
    assert [each.method for each in owner.account.sessions] == [Method.PHONE_CODE, Method.RECOVERY_CODE]
    assert owner.account.password_change_due


def test_a_new_password_unlocks_push() -> None:
    owner = _signed_in_again()
    owner.take(a_password_change(after(40), session_digest=BACK))
    assert owner.account.push.reported is None
    assert not owner.account.password_change_due
    assert owner.history()[-2:] == [HistoryKind.PASSWORD_CHANGED, HistoryKind.PUSH_UNLOCKED]
    issued = owner.take(a_sign_in("again", after(41), password_hash="$argon2id$2")).events
    assert only(issued, ChallengeIssued).device_id == a_phone().device_id


def test_a_login_by_the_old_password_cannot_send_a_challenge() -> None:
    owner = _signed_in_again()
    owner.take(a_sign_in("mallory", after(39)))
    owner.take(a_password_change(after(40), session_digest=BACK))
    owner.refuse(a_send("mallory", after(41)), Rejection.NO_LOGIN)


def test_a_new_password_without_a_lock_is_no_unlock_in_the_history() -> None:
    owner = signed_in()
    owner.take(a_password_change())
    assert HistoryKind.PUSH_UNLOCKED not in owner.history()
