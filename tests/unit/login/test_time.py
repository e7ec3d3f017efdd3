"""What expires by time alone."""

from datetime import datetime

import pytest

from services.common.throttle import PauseLimits
from services.login.domain.account import MOST_HISTORY
from services.login.domain.expire import expire
from services.login.domain.history import HistoryKind
from services.login.domain.login import EndReason, LoginChallenge, LoginState
from tests.builders import (
    LIMITS,
    T0,
    a_browser,
    a_device,
    a_login,
    a_remembered_browser,
    a_session,
    after,
    an_account,
    at_most,
    present,
)
from tests.messages import a_pairing_start, a_send, a_sign_in
from tests.unit.login.owner import Owner

OVER = {LoginState.APPROVED, LoginState.ENDED}


def _a_challenge(expires_at: datetime) -> LoginChallenge:
    device = a_device()
    return LoginChallenge(
        challenge_id="challenge-1",
        device_id=device.device_id,
        device_name=device.name,
        issued_at=T0,
        expires_at=expires_at,
    )


def test_an_unanswered_challenge_ends_its_login() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    settled = expire(owner.account, after(minutes=2, seconds=1), LIMITS)
    login = present(settled.login("login-1"))
    assert (login.end_reason, login.ended_at) == (EndReason.NOT_ANSWERED, after(minutes=2))
    assert settled.open_challenge() is None
    assert settled.history[-1].what is HistoryKind.LOGIN_NOT_ANSWERED
    assert settled.history[-1].at == after(minutes=2)
    assert (settled.push.denials.failures, settled.push.denials.counted_from) == (1, after(minutes=2))


def test_a_challenge_is_open_until_its_last_moment() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    assert expire(owner.account, after(minutes=2), LIMITS) == owner.account


@pytest.mark.parametrize("state", sorted(set(LoginState) - OVER))
def test_a_login_times_out(state: LoginState) -> None:
    account = an_account(logins=(a_login(state=state),))
    assert expire(account, after(minutes=30), LIMITS) == account
    login = present(expire(account, after(minutes=30, seconds=1), LIMITS).login("login-1"))
    assert (login.end_reason, login.ended_at) == (EndReason.TIMED_OUT, after(minutes=30))


@pytest.mark.parametrize("reason", list(EndReason))
def test_an_ended_login_is_kept_for_half_an_hour(reason: EndReason) -> None:
    account = an_account(logins=(a_login().ended(reason, T0),))
    assert expire(account, after(minutes=30), LIMITS) == account
    assert expire(account, after(minutes=30, seconds=1), LIMITS).logins == ()


def test_expiring_in_one_step_equals_expiring_in_many() -> None:
    logins = (
        a_login("challenged", state=LoginState.CHALLENGED, challenge=_a_challenge(after(minutes=2))),
        a_login("ready", expires_at=after(minutes=5)),
        a_login("ended").ended(EndReason.DENIED, T0),
    )
    account = an_account(logins=logins)
    for last in (1, 3, 6, 40, 80):
        at_once = expire(account, after(minutes=last), LIMITS)
        stepwise = account
        for minute in range(last + 1):
            stepwise = expire(stepwise, after(minutes=minute), LIMITS)
        assert stepwise == at_once


def test_an_earlier_clock_revives_nothing() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    late = expire(owner.account, after(minutes=3), LIMITS)
    assert expire(late, after(minutes=1), LIMITS) == late


@pytest.mark.parametrize("end", ["expires_at", "idle_until"])
def test_ended_sessions_are_dropped(end: str) -> None:
    account = an_account(sessions=(a_session("s", **{end: after(60)}),))
    assert expire(account, after(60), LIMITS) == account
    assert expire(account, after(61), LIMITS).sessions == ()


def test_expired_remembered_browsers_are_dropped() -> None:
    account = an_account(remembered=(a_remembered_browser(expires_at=after(60)),))
    assert expire(account, after(60), LIMITS) == account
    assert expire(account, after(61), LIMITS).remembered == ()


def test_the_history_stays_bounded_when_challenges_expire() -> None:
    never = PauseLimits(tries=10_000, pause_seconds=1, longest_pause_seconds=1)
    owner = Owner(denials=never, challenges=at_most(5))
    for number in range(MOST_HISTORY + 5):
        owner.challenge(a_sign_in(f"login-{number}", after(minutes=3 * number)))
    (entry,) = owner.account.history
    assert (entry.what, entry.count) == (HistoryKind.LOGIN_NOT_ANSWERED, MOST_HISTORY + 4)


def test_a_challenge_does_not_outlive_its_login() -> None:
    owner = Owner(an_account(logins=(a_login(),)))
    owner.take(a_send(at=after(minutes=29)))
    challenge = present(owner.login().challenge)
    assert challenge.expires_at == owner.login().expires_at == after(minutes=30)


def test_a_pairing_does_not_outlive_its_login() -> None:
    owner = Owner(an_account(paired=False, logins=(a_login(state=LoginState.NEEDS_PHONE),)))
    owner.take(a_pairing_start(at=after(minutes=29)))
    attempt = present(owner.login().pairing)
    assert attempt.expires_at == owner.login().expires_at == after(minutes=30)


def test_the_history_has_browser_and_phone_of_an_unanswered_challenge() -> None:
    owner = Owner()
    owner.take(a_sign_in())
    entry = expire(owner.account, after(minutes=3), LIMITS).history[-1]
    assert (entry.browser, entry.device_name) == (a_browser(), a_device().name)


def test_a_timed_out_login_is_no_denial_and_not_in_the_history() -> None:
    account = an_account(logins=(a_login(),))
    expired = expire(account, after(minutes=31), LIMITS)
    assert (expired.push, expired.history) == (account.push, account.history)
