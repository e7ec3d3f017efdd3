"""Limits of challenges protect an account's owner from push fatigue."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from schemas.contract import ChallengeIssued, Verdict
from services.common.decisions import OK
from services.common.throttle import PauseLimits
from services.login.domain.account import Push
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import LIMITS, a_device, a_login, a_phone, after, at_most, denied, policy
from tests.events import a_response, only
from tests.messages import a_cancel, a_code, a_send, a_sign_in
from tests.session_messages import a_confirmation
from tests.unit.login.owner import Owner, signed_in

NO_PAUSES = PauseLimits(tries=10_000, pause_seconds=1, longest_pause_seconds=1)


def _asked_and(refuse: Callable[[Owner, str, datetime], None], times: int) -> tuple[Owner, datetime]:
    """Return an account whose request was refused so often in some way, and when the last one was."""
    owner = Owner(challenges=at_most(1000))
    at = after()
    for number in range(times):
        at = owner.account.push.next_at(at, policy(challenges=at_most(1000)).limits) or at
        challenge = owner.challenge(a_sign_in(f"login-{number}", at))
        at += timedelta(seconds=5)
        refuse(owner, challenge, at)
    return owner, at


def _deny(owner: Owner, challenge: str, at: datetime) -> None:
    owner.take(a_response(challenge, Verdict.DENY, at))


def _enter_wrong_number(owner: Owner, challenge: str, at: datetime) -> None:
    response = a_response(challenge, at=at)
    wrong = {"answer": a_phone().answer(challenge, at=at, number=10)}
    assert response.answer != wrong["answer"]
    owner.take(response.model_copy(update=wrong))


def _tries(owner: Owner, at: datetime, login_id: str = "next") -> str:
    """Return how a click on Send ends in a login that could not ask at once."""
    owner.account = owner.account.with_login(a_login(login_id, expires_at=at + timedelta(minutes=30)))
    return owner.take(a_send(login_id, at, f"challenge-of-{login_id}")).outcome


def test_a_fourth_challenge_within_ten_minutes_is_not_sent() -> None:
    owner = Owner()
    for number in range(3):
        owner.challenge(a_sign_in(f"login-{number}", after(number)))
        owner.take(a_cancel(f"login-{number}", after(number)))
    decision = owner.take(a_sign_in("login-3", after(60)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("login-3").state is LoginState.READY
    owner.refuse(a_send("login-3", after(minutes=10, seconds=-0.001)), Rejection.PUSH_PAUSED)
    only(owner.take(a_send("login-3", after(minutes=10))).events, ChallengeIssued)


def test_the_window_slides() -> None:
    owner = Owner(challenges=at_most(2), denials=NO_PAUSES)
    for login_id, minute in (("a", 0), ("b", 4), ("c", 10), ("d", 14)):
        owner.challenge(a_sign_in(login_id, after(minutes=minute)))
        owner.take(a_cancel(login_id, after(minutes=minute)))
    assert _tries(owner, after(minutes=20, seconds=-1)) == Rejection.PUSH_PAUSED
    assert _tries(owner, after(minutes=20)) == OK


def test_the_limit_is_a_setting() -> None:
    owner = Owner(challenges=at_most(1, window_seconds=60))
    owner.challenge(a_sign_in())
    owner.take(a_cancel())
    assert _tries(owner, after(59)) == Rejection.PUSH_PAUSED
    assert _tries(owner, after(60)) == OK


def test_approved_challenges_count() -> None:
    owner = Owner()
    for number in range(3):
        owner.take(a_response(owner.challenge(a_sign_in(f"login-{number}", after(number))), at=after(number)))
    assert _tries(owner, after(5)) == Rejection.PUSH_PAUSED


def test_the_limit_covers_all_phones_and_purposes() -> None:
    fair = a_phone("Fairphone 5")
    owner = signed_in(devices=(a_device(), a_device(fair, pairing_id="pairing-2")))
    owner.challenge(a_sign_in("first"))
    owner.take(a_cancel("first"))
    for login_id, phone in (("confirm-1", a_phone()), ("confirm-2", fair)):
        owner.take(a_confirmation(login_id))
        owner.challenge(a_send(login_id, challenge_id=login_id, device_id=phone.device_id))
        owner.take(a_cancel(login_id))
    for phone in (a_phone(), fair):
        owner.take(a_confirmation("last"))
        refused = owner.take(a_send("last", after(1), device_id=phone.device_id))
        assert (refused.outcome, refused.events) == (Rejection.PUSH_PAUSED, ())


@pytest.mark.parametrize("refuse", [_deny, _enter_wrong_number])
def test_pauses_grow_from_the_second_denial_to_an_hour(refuse: Callable[[Owner, str, datetime], None]) -> None:
    pauses = []
    for times in range(1, 11):
        owner, at = _asked_and(refuse, times)
        until = owner.account.push.next_at(at, policy(challenges=at_most(1000)).limits)
        pauses.append(0 if until is None else (until - at).total_seconds())
    assert pauses == [0, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_pause_sends_no_challenge_until_it_ends() -> None:
    owner, at = _asked_and(_deny, 2)
    assert _tries(owner, at + timedelta(seconds=59.999)) == Rejection.PUSH_PAUSED
    decision = owner.take(a_sign_in("another", at + timedelta(seconds=59.999)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login("another").state is LoginState.READY
    assert _tries(owner, at + timedelta(seconds=60)) == OK


def test_an_unanswered_challenge_counts_from_its_expiry() -> None:
    owner = Owner(challenges=at_most(1000))
    owner.challenge(a_sign_in("first"))
    owner.challenge(a_sign_in("second", after(minutes=3)))
    ran_out = after(minutes=5)
    assert _tries(owner, ran_out + timedelta(seconds=1)) == Rejection.PUSH_PAUSED
    assert _tries(owner, ran_out + timedelta(seconds=60)) == OK


def test_a_withdrawn_challenge_is_no_denial() -> None:
    owner = Owner()
    owner.challenge(a_sign_in())
    owner.take(a_cancel(at=after(1)))
    assert (owner.account.push.denials.failures, owner.account.push.denials.counted_from) == (0, None)


def test_an_approval_ends_the_pauses_but_not_the_limit() -> None:
    owner, at = _asked_and(_deny, 1)
    owner.take(a_response(owner.challenge(a_sign_in("good", at)), at=at))
    assert (owner.account.push.denials.failures, owner.account.push.denials.counted_from) == (0, None)
    assert len(owner.account.push.sent) == 2


def test_a_right_code_ends_the_pauses() -> None:
    owner, at = _asked_and(_deny, 3)
    assert _tries(owner, at) == Rejection.PUSH_PAUSED
    assert owner.take(a_code(login_id="next", at=at)).outcome == OK
    assert _tries(owner, at, "after-that") == OK


def test_next_at_is_when_the_next_challenge_can_be_sent() -> None:
    at = after(minutes=5)
    sent = (after(minutes=1), after(minutes=2), after(minutes=4))
    cases = {
        Push(): None,
        Push(sent=sent[:2]): None,
        Push(sent=sent): after(minutes=11),
        Push(sent=(after(minutes=-5), *sent[:2])): None,
        Push(denials=denied(1, at)): None,
        Push(denials=denied(2, after(minutes=4.5))): after(minutes=5.5),
        Push(denials=denied(2, after(minutes=4))): None,
        Push(sent=sent, denials=denied(2, at)): after(minutes=11),
        Push(sent=sent, denials=denied(6, at)): after(minutes=21),
    }
    for push, expected in cases.items():
        assert push.next_at(at, LIMITS) == expected, push


def test_sent_times_are_bounded() -> None:
    owner = Owner(denials=NO_PAUSES)
    for number in range(10):
        owner.challenge(a_sign_in(f"login-{number}", after(minutes=5 * number)))
    assert owner.account.push.sent == (after(minutes=35), after(minutes=40), after(minutes=45))
