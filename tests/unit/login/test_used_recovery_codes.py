"""Each recovery code signs in once, and the owner is notified."""

from typing import Any

import pytest

from schemas.contract import ChallengeWithdrawn
from schemas.login_messages import EmailDue, EmailKind
from services.common.decisions import OK
from services.login.domain.history import HistoryKind, Method
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import a_browser, a_login, after, an_account, recovery_codes
from tests.events import only
from tests.messages import a_recovery_code, a_sign_in, a_wrong_code
from tests.session_messages import new_recovery_codes
from tests.unit.login.owner import Owner, signed_in

CODES = recovery_codes("code 1", "code 2", "code 3")


def _waiting(*more: str, **changes: Any) -> Owner:
    logins = tuple(a_login(each) for each in ("login-1", *more))
    return Owner(an_account(**{"logins": logins, "recovery": CODES, **changes}))


def test_a_recovery_code_opens_a_confirmed_session() -> None:
    owner = _waiting()
    assert owner.take(a_recovery_code(at=after(5))).outcome == OK
    (session,) = owner.account.sessions
    assert (session.method, session.confirmed_at) == (Method.RECOVERY_CODE, after(5))
    assert owner.history() == [HistoryKind.RECOVERY_CODE_USED, HistoryKind.SIGNED_IN]


def test_each_recovery_code_is_used_once() -> None:
    owner = _waiting("login-2", "login-3")
    owner.take(a_recovery_code("code 2", at=after(5)))
    assert owner.account.recovery is not None
    assert [code.used_at for code in owner.account.recovery.codes] == [None, after(5), None]
    assert owner.take(a_recovery_code("code 2", "login-2", after(6))).outcome == Rejection.USED_CODE
    assert owner.login("login-2").state is LoginState.READY
    assert owner.take(a_recovery_code("code 1", "login-2", after(6))).outcome == OK
    assert owner.take(a_recovery_code("code 3", "login-3", after(6))).outcome == OK
    assert owner.account.recovery.left == 0


def test_a_recovery_code_entered_in_two_browsers_opens_one_session() -> None:
    owner = _waiting("login-2")
    outcomes = [owner.take(a_recovery_code("code 1", each)).outcome for each in ("login-1", "login-2")]
    assert outcomes == [OK, Rejection.USED_CODE]
    assert len(owner.account.sessions) == 1


def test_an_email_says_how_many_recovery_codes_are_left() -> None:
    owner = _waiting(email="alex@example.org")
    mail = only(owner.take(a_recovery_code(at=after(5))).events, EmailDue)
    assert (mail.kind, mail.left, mail.at) == (EmailKind.RECOVERY_CODE_USED, 2, after(5))
    assert (mail.browser, mail.address) == (a_browser(), "alex@example.org")


def test_a_recovery_code_withdraws_the_challenge() -> None:
    owner = Owner(an_account(recovery=CODES))
    owner.challenge(a_sign_in())
    only(owner.take(a_recovery_code(at=after(5))).events, ChallengeWithdrawn)


@pytest.mark.parametrize("code", ["code 4", "another"])
def test_an_unknown_recovery_code_counts_as_wrong(code: str) -> None:
    owner = _waiting()
    assert owner.take(a_recovery_code(code)).outcome == Rejection.WRONG_CODE
    assert owner.account.codes.failures == 1
    assert owner.account.sessions == ()


def test_no_recovery_code_is_right_without_a_set() -> None:
    owner = _waiting(recovery=None)
    assert owner.take(a_recovery_code()).outcome == Rejection.WRONG_CODE


def test_recovery_codes_and_verification_codes_share_their_tries() -> None:
    owner = _waiting()
    for _ in range(2):
        owner.take(a_wrong_code())
        owner.take(a_recovery_code("another"))
    owner.take(a_recovery_code("another"))
    assert owner.account.codes.paused_until == after(30)
    owner.refuse(a_recovery_code(at=after(29)), Rejection.CODES_PAUSED)
    assert owner.take(a_recovery_code(at=after(30))).outcome == OK


def test_a_used_recovery_code_counts_as_wrong() -> None:
    owner = _waiting("login-2")
    owner.take(a_recovery_code())
    owner.take(a_recovery_code(login_id="login-2"))
    assert owner.account.codes.failures == 1


@pytest.mark.parametrize("state", sorted(set(LoginState) - {LoginState.READY, LoginState.CHALLENGED}))
def test_a_recovery_code_cannot_skip_a_step_of_the_login(state: LoginState) -> None:
    owner = _waiting(logins=(a_login(state=state),))
    over = state in {LoginState.APPROVED, LoginState.ENDED}
    owner.refuse(a_recovery_code(), Rejection.NO_LOGIN if over else Rejection.NOT_NOW)


def test_a_new_set_replaces_the_old_one() -> None:
    owner = signed_in(recovery=CODES, logins=(a_login("login-1"), a_login("login-2")))
    owner.take(new_recovery_codes(first=11))
    assert owner.account.recovery is not None
    assert owner.account.recovery.left == 10
    assert owner.take(a_recovery_code("code 1")).outcome == Rejection.WRONG_CODE
    assert owner.take(a_recovery_code("code 11")).outcome == OK


def test_used_codes_stay_invalid_after_a_new_set() -> None:
    owner = signed_in(logins=(a_login("login-1"), a_login("login-2")))
    owner.take(new_recovery_codes(at=after(1)))
    owner.take(a_recovery_code("code 1", at=after(2)))
    owner.take(new_recovery_codes(after(3), first=11))
    assert owner.take(a_recovery_code("code 1", "login-2", after(4))).outcome == Rejection.WRONG_CODE
