"""Verification codes and recovery codes: each is used once, and only a few wrong ones are allowed."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.contract import ChallengeEnded
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.history import HistoryKind, Method
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from tests.builders import (
    a_browser,
    a_device,
    a_digest,
    a_login,
    a_phone,
    after,
    an_account,
    an_app,
    present,
    recovery_codes,
)
from tests.events import a_response, only
from tests.messages import a_cancel, a_code, a_recovery_code, a_send, a_sign_in, a_wrong_code
from tests.session_messages import new_recovery_codes
from tests.unit.login.owner import Owner, asked, signed_in

SESSION = a_digest("session of login-1")
TRIES = 5
RECOVERY_CODES = recovery_codes("code 1", "code 2", "code 3")


def _waiting(*more: str, **changes: Any) -> Owner:
    """Return an account with logins that wait for a code."""
    logins = tuple(a_login(each, expires_at=after(minutes=60 * 24)) for each in ("login-1", *more))
    return Owner(an_account(logins=logins, **changes))


def _wrong(count: int) -> tuple[Owner, datetime]:
    """Return an account with so many wrong codes, each entered as soon as one is taken, and when the last one was."""
    owner, at = _waiting("login-2"), after()
    for _ in range(count):
        at = max(at, owner.account.codes.others.paused_until or at)
        owner.take(a_wrong_code(at))
    return owner, at


def test_a_phones_code_opens_a_session_in_the_waiting_browser() -> None:
    owner = _waiting()
    decision = owner.take(a_code(at=after(5)))
    assert (decision.outcome, decision.events) == (OK, ())
    session = present(owner.account.session(SESSION, after(6)))
    assert (session.method, session.started_at, session.confirmed_at) == (Method.PHONE_CODE, after(5), after(5))
    assert (owner.login().state, owner.login().method) == (LoginState.APPROVED, Method.PHONE_CODE)
    entry = owner.account.history[-1]
    assert (entry.what, entry.method, entry.device_name) == (HistoryKind.SIGNED_IN, Method.PHONE_CODE, "Pixel 9")


def test_an_apps_code_signs_in_without_a_phone() -> None:
    owner = Owner(an_account(paired=False, apps=(an_app(),)))
    assert owner.take(a_sign_in()).events == ()
    assert owner.login().state is LoginState.READY
    assert owner.take(a_code(method_id="app-0")).outcome == OK
    assert owner.account.sessions[0].method is Method.APP_CODE
    assert owner.account.history[-1].device_name == "Desk app"


def test_a_code_withdraws_its_logins_challenge() -> None:
    owner, challenge = asked()
    withdrawn = only(owner.take(a_code(at=after(5))).events, ChallengeEnded)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("login-1", a_phone().device_id)
    owner.take(a_response(challenge, at=after(6)))
    assert len(owner.account.sessions) == 1
    assert owner.account.push.denials.failures == 0


def test_a_code_keeps_another_logins_challenge_open() -> None:
    owner, _ = asked()
    owner.take(a_sign_in("login-2", after(1)))
    assert owner.take(a_code(login_id="login-2", at=after(2))).events == ()
    assert owner.login().state is LoginState.CHALLENGED


def test_a_code_entered_in_two_browsers_counts_once() -> None:
    owner = _waiting("login-2")
    outcomes = [owner.take(a_code(100, login_id, after(5))).outcome for login_id in ("login-1", "login-2")]
    assert outcomes == [OK, Rejection.USED_CODE]
    assert [each.session_digest for each in owner.account.sessions] == [SESSION]
    assert owner.login("login-2").state is LoginState.READY


@pytest.mark.parametrize("step", [0, 98, 99, 100])
def test_a_code_must_be_later_than_the_last_used_one(step: int) -> None:
    owner = _waiting(devices=(a_device(last_time_step=100),))
    assert owner.take(a_code(step)).outcome == Rejection.USED_CODE
    assert owner.account.sessions == ()
    assert owner.account.devices[0].last_time_step == 100
    assert owner.take(a_code(101)).outcome == OK
    assert owner.account.devices[0].last_time_step == 101


def test_each_method_has_its_own_last_time_step() -> None:
    owner = _waiting(
        "login-2", "login-3", devices=(a_device(), a_device(a_phone("F"), pairing_id="p2")), apps=(an_app(),)
    )
    for login_id, method_id in (("login-1", "pairing-0"), ("login-2", "p2"), ("login-3", "app-0")):
        assert owner.take(a_code(100, login_id, method_id=method_id)).outcome == OK
    assert [each.last_time_step for each in owner.account.methods] == [100, 100, 100]


def test_a_code_of_an_unknown_method_is_rejected_without_counting() -> None:
    _waiting().refuse(a_code(method_id="pairing-9"), Rejection.UNKNOWN_METHOD)


@pytest.mark.parametrize(
    "state", [LoginState.NEEDS_ENROLMENT, LoginState.NEEDS_PHONE, LoginState.PAIRING, LoginState.PAIRED]
)
def test_a_code_cannot_skip_a_step_of_the_login(state: LoginState) -> None:
    owner = Owner(an_account(logins=(a_login(state=state),)))
    owner.refuse(a_code(), Rejection.NOT_NOW)


def test_a_code_in_an_ended_or_unknown_login_is_rejected() -> None:
    owner = _waiting("login-2")
    owner.take(a_cancel())
    owner.take(a_code(login_id="login-2"))
    for login_id in ("login-1", "login-2", "login-9"):
        owner.refuse(a_code(200, login_id), Rejection.NO_LOGIN)
        owner.refuse(a_wrong_code(login_id=login_id), Rejection.NO_LOGIN)
    assert owner.login().end_reason is EndReason.CANCELLED


def test_four_wrong_codes_do_not_pause() -> None:
    owner, at = _wrong(TRIES - 1)
    assert owner.account.codes.others.paused_until is None
    assert owner.take(a_code(at=at)).outcome == OK


def test_the_fifth_wrong_code_pauses_codes() -> None:
    owner, _ = _wrong(TRIES - 1)
    assert owner.take(a_wrong_code()).outcome == Rejection.CODES_PAUSED
    assert owner.account.codes.others.paused_until == after(30)
    assert [(each.what, each.count) for each in owner.account.history] == [
        (HistoryKind.WRONG_CODE, TRIES),
        (HistoryKind.CODES_PAUSED, 1),
    ]


def test_the_pause_doubles_up_to_an_hour() -> None:
    pauses = []
    for count in range(TRIES, TRIES + 9):
        owner, at = _wrong(count)
        pauses.append((present(owner.account.codes.others.paused_until) - at).total_seconds())
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_pause_rejects_the_right_code_which_stays_valid() -> None:
    owner, at = _wrong(TRIES)
    owner.refuse(a_code(at=at + timedelta(seconds=29.999)), Rejection.CODES_PAUSED)
    assert owner.take(a_code(at=at + timedelta(seconds=30))).outcome == OK


def test_wrong_codes_during_a_pause_do_not_count() -> None:
    owner, at = _wrong(TRIES)
    for _ in range(10):
        owner.refuse(a_wrong_code(at + timedelta(seconds=29)), Rejection.CODES_PAUSED)


def test_wrong_codes_count_per_account() -> None:
    owner, _ = _wrong(TRIES - 1)
    assert owner.take(a_wrong_code(login_id="login-2")).outcome == Rejection.CODES_PAUSED
    owner.refuse(a_code(login_id="login-2"), Rejection.CODES_PAUSED)
    owner.take(a_sign_in("login-3", after(1)))
    owner.refuse(a_code(login_id="login-3", at=after(2)), Rejection.CODES_PAUSED)


def test_a_used_code_counts_as_wrong() -> None:
    owner = _waiting(devices=(a_device(last_time_step=100),))
    for _ in range(TRIES):
        assert owner.take(a_code(100)).outcome == Rejection.USED_CODE
    owner.refuse(a_code(101), Rejection.CODES_PAUSED)
    assert owner.account.codes.others.paused_until == after(30)


def test_a_right_code_resets_the_count() -> None:
    owner, at = _wrong(TRIES + 2)
    assert owner.take(a_code(at=present(owner.account.codes.others.paused_until))).outcome == OK
    assert owner.account.codes.others.failures == 0
    assert owner.take(a_wrong_code(at + timedelta(minutes=10), "login-2")).outcome == Rejection.WRONG_CODE


def test_an_approval_resets_the_count() -> None:
    owner, _ = _wrong(TRIES)
    owner.take(a_response(owner.challenge(a_send())))
    assert (owner.account.codes.others.failures, owner.account.codes.others.paused_until) == (0, None)


def test_neither_a_right_password_nor_time_resets_the_count() -> None:
    owner, _ = _wrong(TRIES)
    owner.take(a_sign_in("login-3", after(minutes=60)))
    owner.take(a_wrong_code(after(minutes=60)))
    assert owner.account.codes.others.failures == TRIES + 1
    assert owner.account.codes.others.paused_until == after(minutes=61)


def _with_recovery_codes(*more: str, **changes: Any) -> Owner:
    logins = tuple(a_login(each) for each in ("login-1", *more))
    return Owner(an_account(**{"logins": logins, "recovery": RECOVERY_CODES, **changes}))


def test_a_recovery_code_opens_a_confirmed_session() -> None:
    owner = _with_recovery_codes()
    assert owner.take(a_recovery_code(at=after(5))).outcome == OK
    (session,) = owner.account.sessions
    assert (session.method, session.confirmed_at) == (Method.RECOVERY_CODE, after(5))
    assert owner.history() == [HistoryKind.RECOVERY_CODE_USED, HistoryKind.SIGNED_IN]


def test_each_recovery_code_is_used_once() -> None:
    owner = _with_recovery_codes("login-2", "login-3")
    owner.take(a_recovery_code("code 2", at=after(5)))
    assert owner.account.recovery is not None
    assert [code.used_at for code in owner.account.recovery.codes] == [None, after(5), None]
    assert owner.take(a_recovery_code("code 2", "login-2", after(6))).outcome == Rejection.USED_CODE
    assert owner.login("login-2").state is LoginState.READY
    assert owner.take(a_recovery_code("code 1", "login-2", after(6))).outcome == OK
    assert owner.take(a_recovery_code("code 3", "login-3", after(6))).outcome == OK
    assert owner.account.recovery.left == 0


def test_a_recovery_code_entered_in_two_browsers_opens_one_session() -> None:
    owner = _with_recovery_codes("login-2")
    outcomes = [owner.take(a_recovery_code("code 1", each)).outcome for each in ("login-1", "login-2")]
    assert outcomes == [OK, Rejection.USED_CODE]
    assert len(owner.account.sessions) == 1


def test_an_email_says_how_many_recovery_codes_are_left() -> None:
    owner = _with_recovery_codes(email="alex@example.org")
    mail = only(owner.take(a_recovery_code(at=after(5))).events, EmailDue)
    assert (mail.kind, mail.left, mail.at) == (EmailKind.RECOVERY_CODE_USED, 2, after(5))
    assert (mail.browser, mail.address) == (a_browser(), "alex@example.org")


def test_a_recovery_code_withdraws_the_challenge() -> None:
    owner = Owner(an_account(recovery=RECOVERY_CODES))
    owner.challenge(a_sign_in())
    only(owner.take(a_recovery_code(at=after(5))).events, ChallengeEnded)


@pytest.mark.parametrize("code", ["code 4", "another"])
def test_an_unknown_recovery_code_counts_as_wrong(code: str) -> None:
    owner = _with_recovery_codes()
    assert owner.take(a_recovery_code(code)).outcome == Rejection.WRONG_CODE
    assert owner.account.recovery_codes.others.failures == 1
    assert owner.account.sessions == ()


def test_no_recovery_code_is_right_without_a_set() -> None:
    owner = _with_recovery_codes(recovery=None)
    assert owner.take(a_recovery_code()).outcome == Rejection.WRONG_CODE


def test_recovery_codes_and_verification_codes_have_tries_of_their_own() -> None:
    owner = _with_recovery_codes("login-2")
    for _ in range(TRIES):
        owner.take(a_wrong_code())
    owner.refuse(a_code(at=after(29)), Rejection.CODES_PAUSED)
    for _ in range(TRIES):
        assert owner.take(a_recovery_code("another")).outcome == Rejection.WRONG_CODE
    assert owner.account.recovery_codes.others.paused_until == after(30)
    owner.refuse(a_recovery_code(at=after(29)), Rejection.CODES_PAUSED)
    assert owner.take(a_recovery_code(at=after(30))).outcome == OK


def test_a_used_recovery_code_counts_as_wrong() -> None:
    owner = _with_recovery_codes("login-2")
    owner.take(a_recovery_code())
    owner.take(a_recovery_code(login_id="login-2"))
    assert owner.account.recovery_codes.others.failures == 1


@pytest.mark.parametrize("state", sorted(set(LoginState) - {LoginState.READY, LoginState.CHALLENGED}))
def test_a_recovery_code_cannot_skip_a_step_of_the_login(state: LoginState) -> None:
    owner = _with_recovery_codes(logins=(a_login(state=state),))
    over = state in {LoginState.APPROVED, LoginState.ENDED}
    owner.refuse(a_recovery_code(), Rejection.NO_LOGIN if over else Rejection.NOT_NOW)


def test_a_new_set_replaces_the_old_one() -> None:
    owner = signed_in(recovery=RECOVERY_CODES, logins=(a_login("login-1"), a_login("login-2")))
    owner.take(new_recovery_codes(first=11))
    assert present(owner.account.recovery).left == 10
    assert owner.take(a_recovery_code("code 1")).outcome == Rejection.WRONG_CODE
    assert owner.take(a_recovery_code("code 11")).outcome == OK


def test_used_codes_stay_invalid_after_a_new_set() -> None:
    owner = signed_in(logins=(a_login("login-1"), a_login("login-2")))
    owner.take(new_recovery_codes(at=after(1)))
    owner.take(a_recovery_code("code 1", at=after(2)))
    owner.take(new_recovery_codes(after(3), first=11))
    assert owner.take(a_recovery_code("code 1", "login-2", after(4))).outcome == Rejection.WRONG_CODE
