"""What time alone does: a row that nobody wrote to reads the same, a moment later, as what it has become."""

from datetime import datetime, timedelta

import pytest

from services.login.domain.expire import MOST_HISTORY, settle
from services.login.domain.history import Happening
from services.login.domain.limits import Pauses
from services.login.domain.login import EndReason, LoginState, Prompt
from tests.builders import T0, a_device, a_login, a_remembered_browser, a_session, after, an_account
from tests.messages import a_pairing_start, a_send, a_sign_in
from tests.unit.login.owner import Owner

OVER = {LoginState.APPROVED, LoginState.ENDED}


def _a_prompt(expires_at: datetime) -> Prompt:
    device = a_device()
    return Prompt(
        challenge_id="challenge-1",
        device_id=device.device_id,
        device_name=device.name,
        issued_at=T0,
        expires_at=expires_at,
    )


def test_a_request_that_is_not_answered_ends_its_login_and_is_told() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    settled = settle(owner.account, after(minutes=2, seconds=1))
    login = settled.login("login-1")
    assert login is not None
    assert (login.end_reason, login.ended_at) == (EndReason.NOT_ANSWERED, after(minutes=2))
    assert settled.open_prompt() is None
    assert settled.history[-1].what is Happening.LOGIN_NOT_ANSWERED
    assert settled.history[-1].at == after(minutes=2)
    assert (settled.push.refusals, settled.push.last_refusal_at) == (1, after(minutes=2))


def test_a_request_is_open_up_to_its_last_moment() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    assert settle(owner.account, after(minutes=2)) == owner.account


@pytest.mark.parametrize("state", sorted(set(LoginState) - OVER))
def test_a_login_that_takes_too_long_ends_by_itself(state: LoginState) -> None:
    account = an_account(logins=(a_login(state=state),))
    assert settle(account, after(minutes=30)) == account
    login = settle(account, after(minutes=30, seconds=1)).login("login-1")
    assert login is not None
    assert (login.end_reason, login.ended_at) == (EndReason.TIMED_OUT, after(minutes=30))


@pytest.mark.parametrize("reason", list(EndReason))
def test_a_login_that_ended_can_be_told_of_for_half_an_hour(reason: EndReason) -> None:
    account = an_account(logins=(a_login().ended(reason, T0),))
    assert settle(account, after(minutes=30)) == account
    assert settle(account, after(minutes=30, seconds=1)).logins == ()


def test_settling_is_the_same_in_one_step_or_in_many() -> None:
    logins = (
        a_login("prompted", state=LoginState.PROMPTED, prompt=_a_prompt(after(minutes=2))),
        a_login("ready", expires_at=after(minutes=5)),
        a_login("ended").ended(EndReason.DENIED, T0),
    )
    account = an_account(logins=logins)
    for last in (1, 3, 6, 40, 80):
        at_once = settle(account, after(minutes=last))
        stepwise = account
        for minute in range(last + 1):
            stepwise = settle(stepwise, after(minutes=minute))
        assert stepwise == at_once


def test_an_earlier_clock_does_not_bring_anything_back() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    late = settle(owner.account, after(minutes=3))
    assert settle(late, after(minutes=1)) == late


@pytest.mark.parametrize("end", ["expires_at", "idle_until"])
def test_sessions_that_ended_are_dropped(end: str) -> None:
    account = an_account(sessions=(a_session("s", **{end: after(60)}),))
    assert settle(account, after(60)) == account
    assert settle(account, after(61)).sessions == ()


def test_browsers_whose_time_is_over_are_remembered_no_more() -> None:
    account = an_account(remembered=(a_remembered_browser(expires_at=after(60)),))
    assert settle(account, after(60)) == account
    assert settle(account, after(61)).remembered == ()


def test_the_history_stays_bounded_when_time_ends_requests() -> None:
    never = Pauses(10_000, timedelta(seconds=1), timedelta(seconds=1))
    owner = Owner(refusals=never, most_prompts=5)
    for number in range(MOST_HISTORY + 5):
        owner.prompt(a_sign_in(f"login-{number}", after(minutes=3 * number)))
    assert len(owner.account.history) == MOST_HISTORY
    assert {entry.what for entry in owner.account.history} == {Happening.LOGIN_NOT_ANSWERED}


def test_no_request_outlives_its_login() -> None:
    owner = Owner(an_account(logins=(a_login(),)))
    owner.take(a_send(at=after(minutes=29)))
    prompt = owner.login().prompt
    assert prompt is not None
    assert prompt.expires_at == owner.login().expires_at == after(minutes=30)


def test_no_pairing_outlives_its_login() -> None:
    owner = Owner(an_account(paired=False, logins=(a_login(state=LoginState.NEEDS_PHONE),)))
    owner.take(a_pairing_start(at=after(minutes=29)))
    attempt = owner.login().pairing
    assert attempt is not None
    assert attempt.expires_at == owner.login().expires_at == after(minutes=30)
