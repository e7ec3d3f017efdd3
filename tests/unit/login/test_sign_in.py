"""Logins: from a right password to the challenge, cancelled, replaced or dropped."""

from dataclasses import replace

import pytest

from protocol.challenges import verify_challenge
from schemas.contract import (
    ChallengeEnded,
    ChallengeIssued,
    PairingFailed,
    PairingFailure,
    PairingWithdrawn,
    Purpose,
)
from services.common.decisions import OK
from services.login.domain.decide import decide_account
from services.login.domain.login import EndReason, LoginState
from services.login.domain.rejections import Rejection
from services.login.domain.sign_in import MOST_ENDED_LOGINS, MOST_LOGINS
from tests.builders import (
    LOGIN_URL,
    a_browser,
    a_device,
    a_digest,
    a_key,
    a_login,
    a_phone,
    a_session,
    after,
    an_account,
    an_event,
    policy,
)
from tests.events import PHRASE, a_paired, only
from tests.messages import a_cancel, a_pairing_start, a_send, a_sign_in
from tests.session_messages import a_confirmation
from tests.unit.login.owner import Owner

HERE = a_digest("this browser")


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


def test_cancel_ends_the_login_and_withdraws_its_challenge() -> None:
    owner = Owner()
    challenge = owner.challenge(a_sign_in())
    withdrawn = only(owner.take(a_cancel(at=after(5))).events, ChallengeEnded)
    assert withdrawn.challenge_id == verify_challenge(challenge)[0].jti
    assert withdrawn.device_id == a_phone().device_id
    assert (owner.login().state, owner.login().end_reason) == (LoginState.ENDED, EndReason.CANCELLED)


def test_cancel_withdraws_the_pairing() -> None:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    owner.take(a_pairing_start(at=after(5)))
    withdrawn = only(owner.take(a_cancel(at=after(10))).events, PairingWithdrawn)
    assert (withdrawn.pairing_id, withdrawn.phrase_digest) == ("pairing-1", PHRASE)


def test_cancel_after_a_failed_pairing_withdraws_nothing() -> None:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    owner.take(a_pairing_start(at=after(5)))
    owner.take(PairingFailed(pairing_id="pairing-1", account_id="alex", reason=PairingFailure.DECLINED))
    assert owner.take(a_cancel(at=after(10))).events == ()


def test_pairing_a_phone_withdraws_another_logins_pairing() -> None:
    owner = Owner(an_account(paired=False))
    for number in (1, 2):
        owner.take(a_sign_in(f"login-{number}"))
        owner.take(a_pairing_start(f"pairing-{number}", after(5), login_id=f"login-{number}"))
    withdrawn = only(owner.take(a_paired("pairing-1", after(10))).events, PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-2"
    assert owner.login("login-2").state is LoginState.READY


def test_signing_in_again_in_the_same_browser_replaces_the_login() -> None:
    owner = Owner()
    first = owner.challenge(a_sign_in("login-1", browser_digest=HERE))
    withdrawn, asked = owner.take(a_sign_in("login-2", after(6), browser_digest=HERE)).events
    assert only((withdrawn,), ChallengeEnded).challenge_id == verify_challenge(first)[0].jti
    assert only((asked,), ChallengeIssued).challenge != first
    assert (owner.login("login-1").state, owner.login("login-1").end_reason) == (LoginState.ENDED, EndReason.CANCELLED)
    assert owner.login("login-2").state is LoginState.CHALLENGED


def test_signing_in_again_in_the_same_browser_withdraws_the_pairing() -> None:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in("login-1", browser_digest=HERE))
    owner.take(a_pairing_start(at=after(5), login_id="login-1"))
    assert only(owner.take(a_sign_in("login-2", after(6), browser_digest=HERE)).events, PairingWithdrawn)


def test_signing_in_in_another_or_unknown_browser_replaces_no_login() -> None:
    owner = Owner()
    owner.take(a_sign_in("login-1", browser_digest=HERE))
    for number, browser_digest in enumerate((a_digest("another browser"), None, None), start=2):
        assert owner.take(a_sign_in(f"login-{number}", after(number), browser_digest=browser_digest)).events == ()
    assert owner.login("login-1").state is LoginState.CHALLENGED


def test_signing_in_again_keeps_a_confirmation_open() -> None:
    owner = Owner(an_account(sessions=(a_session(),)))
    owner.take(a_confirmation("confirm-1"))
    asked = replace(owner.login("confirm-1"), browser_digest=HERE)
    owner.account = owner.account.with_login(asked)
    owner.take(a_sign_in("login-2", after(1), browser_digest=HERE))
    assert not owner.login("confirm-1").over


def test_cancel_keeps_another_logins_challenge_open() -> None:
    owner = Owner()
    owner.take(a_sign_in("login-1"))
    owner.take(a_sign_in("login-2", after(1)))
    assert owner.take(a_cancel("login-2", after(2))).events == ()
    assert owner.login("login-1").state is LoginState.CHALLENGED
    assert owner.login("login-2").state is LoginState.ENDED


def test_cancel_of_an_ended_or_unknown_login_changes_nothing() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    owner.take(a_cancel(at=after(1)))
    logins = owner.account.logins
    for login_id in ("login-1", "login-9"):
        assert owner.take(a_cancel(login_id, after(2))).events == ()
        assert owner.account.logins == logins


def test_logins_are_bounded_and_the_challenged_one_stays() -> None:
    owner = Owner()
    owner.take(a_sign_in("login-0"))
    for number in range(1, 2 * MOST_LOGINS):
        owner.take(a_sign_in(f"login-{number}", after(number / 10)))
    assert len(owner.account.logins) == MOST_LOGINS
    assert owner.login("login-0").state is LoginState.CHALLENGED
    assert owner.login(f"login-{2 * MOST_LOGINS - 1}").state is LoginState.READY
    assert owner.account.login("login-1") is None


def test_an_ended_login_is_dropped_before_an_open_one() -> None:
    waiting = tuple(a_login(f"waiting-{number}") for number in range(MOST_LOGINS - 1))
    ended = a_login("ended").ended(EndReason.DENIED, after())
    owner = Owner(an_account(logins=(*waiting, ended)))
    owner.take(a_sign_in("login-1", after(1)))
    assert owner.account.login("ended") is None
    assert owner.account.logins[:-1] == waiting


def test_a_dropped_login_withdraws_its_pairing() -> None:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    owner.take(a_pairing_start(at=after(1)))
    for number in range(2, MOST_LOGINS + 1):
        assert owner.take(a_sign_in(f"login-{number}", after(number))).events == ()
    withdrawn = only(owner.take(a_sign_in("one-more", after(20))).events, PairingWithdrawn)
    assert withdrawn.pairing_id == "pairing-1"
    assert owner.account.login("login-1") is None


def test_a_new_login_keeps_those_that_ended_last() -> None:
    over = tuple(a_login(f"over-{number}").ended(EndReason.DENIED, after()) for number in range(MOST_LOGINS))
    owner = Owner(an_account(logins=over))
    owner.take(a_sign_in(at=after(1)))
    kept = [each.login_id for each in over[1 - MOST_ENDED_LOGINS :]]
    assert [each.login_id for each in owner.account.logins] == [*kept, "login-1"]
