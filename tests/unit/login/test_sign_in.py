"""From a right password to the challenge on the phone."""

import pytest

from protocol.challenges import verify_challenge
from schemas.contract import ChallengeIssued, Purpose
from services.common.decisions import OK
from services.login.domain.decide import decide_account
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import (
    LOGIN_URL,
    a_browser,
    a_device,
    a_digest,
    a_key,
    a_login,
    a_phone,
    after,
    an_account,
    an_event,
    policy,
)
from tests.events import only
from tests.messages import a_cancel, a_send, a_sign_in
from tests.unit.login.owner import Owner


def test_a_sign_in_without_a_phone_needs_one() -> None:
    owner = Owner(an_account(paired=False))
    decision = owner.take(a_sign_in())
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login().state is LoginState.NEEDS_PHONE


def test_a_sign_in_with_a_phone_sends_a_challenge() -> None:
    owner = Owner()
    issued = only(owner.take(a_sign_in()).events, ChallengeIssued)
    assert owner.login().state is LoginState.CHALLENGED
    assert (issued.device_id, issued.purpose) == (a_phone().device_id, Purpose.LOGIN)
    assert (issued.issued_at, issued.expires_at) == (after(), after(minutes=2))


def test_the_challenge_has_its_claims_and_the_login_services_signature() -> None:
    claims, key = verify_challenge(Owner().challenge(a_sign_in()))
    assert key == a_key("login service").public.thumbprint
    assert (claims.iss, claims.service) == (LOGIN_URL, "Account Manager")
    assert (claims.account_id, claims.account_name, claims.reply_key) == ("alex", "Alex", "alex")
    assert (claims.aud, claims.browser, claims.purpose) == (a_phone().device_id, a_browser(), Purpose.LOGIN)
    assert claims.expires_at == after(minutes=2)
    assert claims.login_issuer is None


def test_the_first_phone_gets_the_challenge() -> None:
    other = a_phone("Fairphone 5")
    owner = Owner(an_account(devices=(a_device(), a_device(other))))
    assert only(owner.take(a_sign_in()).events, ChallengeIssued).device_id == a_phone().device_id


def test_a_login_belongs_to_the_browser_that_began_it() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    assert owner.account.login_by_digest(a_digest("token of login-1")) == owner.login()
    assert owner.account.login_by_digest(a_digest("session of login-1")) is None


def test_a_second_login_waits_for_the_first_ones_challenge() -> None:
    owner = Owner()
    owner.take(a_sign_in("login-1"))
    decision = owner.take(a_sign_in("login-2", after(1)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("login-2").state is LoginState.READY
    refused = owner.take(a_send("login-2", after(2)))
    assert (refused.outcome, refused.events) == (Rejection.OTHER_CHALLENGE, ())


def test_the_second_login_can_send_a_challenge_after_the_first_ended() -> None:
    owner = Owner()
    owner.take(a_sign_in("login-1"))
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_cancel("login-1", after(2)))
    only(owner.take(a_send("login-2", after(3))).events, ChallengeIssued)
    assert owner.login("login-2").state is LoginState.CHALLENGED


def test_a_second_click_sends_no_second_challenge() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    challenge = owner.login().challenge
    decision = owner.take(a_send(at=after(5)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login().challenge == challenge


def test_a_login_begins_once() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    owner.take(a_cancel(at=after(1)))
    assert owner.take(a_sign_in(at=after(2))).events == ()
    assert owner.login().state is LoginState.ENDED


def test_an_ended_or_unknown_login_sends_no_challenge() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    owner.take(a_cancel(at=after(1)))
    assert owner.take(a_send(at=after(2))).outcome == Rejection.NO_LOGIN
    assert owner.take(a_send("login-9", after(2))).outcome == Rejection.NO_LOGIN


def test_no_challenge_is_sent_before_a_phone_is_paired() -> None:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    assert owner.take(a_send()).outcome == Rejection.NOT_NOW


@pytest.mark.parametrize("state", [LoginState.NEEDS_PHONE, LoginState.PAIRING])
def test_a_pairing_login_sends_no_challenge(state: LoginState) -> None:
    owner = Owner(an_account(logins=(a_login(state=state),)))
    assert owner.take(a_send()).outcome == Rejection.NOT_NOW


def test_a_sign_in_by_a_replaced_password_is_rejected() -> None:
    owner = Owner()
    decision = owner.take(a_sign_in(password_hash="$argon2id$0"))
    assert (decision.outcome, decision.events) == (Rejection.PASSWORD_CHANGED, ())
    assert owner.account.logins == ()


def test_a_sign_in_to_an_unknown_account_is_rejected() -> None:
    decision = decide_account(None, an_event(a_sign_in()), policy())
    assert (decision.row, decision.events, decision.outcome) == (None, (), Rejection.UNKNOWN_ACCOUNT)
