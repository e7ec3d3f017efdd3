"""Browsers that an account remembers or knows."""

from datetime import timedelta
from typing import Any, Final

import pytest

from protocol.challenges import verify_challenge
from schemas.contract import Verdict
from services.common.decisions import OK
from services.common.throttle import Throttle
from services.login.domain.account import Push, Reported
from services.login.domain.approval import MOST_KNOWN_BROWSERS, MOST_REMEMBERED
from services.login.domain.attempts import Attempts
from services.login.domain.history import HistoryKind, Method
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from tests.builders import a_browser, a_digest, a_remembered_browser, after, an_account, an_app, at_most, denied
from tests.events import a_response
from tests.messages import a_code, a_sign_in, a_wrong_code
from tests.session_messages import a_confirmation, a_forgetting
from tests.unit.login.owner import Owner, signed_in

WEEK = timedelta(days=7)
KNOWN: Final[dict[str, Any]] = {"remembered_digest": a_digest("r")}
WISH: Final[dict[str, Any]] = {"remember_digest": a_digest("r")}
WEEK_LATER = after() + WEEK
HOME, CAFE = a_digest("the browser at home"), a_digest("the browser in the café")


def _remembering(days: int = 7, **changes: Any) -> Owner:
    """Return an account that remembers the browser ``r``."""
    account = an_account(**{"remembered": (a_remembered_browser(),), **changes})
    return Owner(account, remember_days=days)


def test_a_browser_is_remembered_after_the_second_factor() -> None:
    owner = Owner(remember_days=WEEK.days)
    owner.take(a_response(owner.challenge(a_sign_in(**WISH)), at=after(5)))
    expected = a_remembered_browser(since=after(5), expires_at=after(5) + WEEK)
    assert owner.account.remembered == (expected,)
    assert owner.history() == [HistoryKind.SIGNED_IN, HistoryKind.BROWSER_REMEMBERED]


def test_no_browser_is_remembered_before_the_second_factor() -> None:
    owner = Owner(remember_days=WEEK.days)
    owner.challenge(a_sign_in(**WISH))
    assert owner.account.remembered == ()


def test_a_code_counts_as_the_second_factor() -> None:
    owner = Owner(an_account(paired=False, apps=(an_app(),)), remember_days=WEEK.days)
    owner.take(a_sign_in(**WISH))
    owner.take(a_code(method_id="app-0"))
    assert len(owner.account.remembered) == 1


def test_no_browser_is_remembered_unless_requested() -> None:
    owner = Owner(remember_days=WEEK.days)
    owner.take(a_response(owner.challenge(a_sign_in())))
    assert owner.account.remembered == ()


def test_no_browser_is_remembered_by_default() -> None:
    owner = Owner()
    owner.take(a_response(owner.challenge(a_sign_in(**WISH))))
    assert len(owner.account.sessions) == 1
    assert owner.account.remembered == ()


def test_a_remembered_browser_signs_in_by_password_alone() -> None:
    owner = _remembering()
    decision = owner.take(a_sign_in(at=after(5), **KNOWN))
    assert (decision.outcome, decision.events) == (OK, ())
    (session,) = owner.account.sessions
    assert (session.method, session.started_at, session.confirmed_at) == (Method.REMEMBERED, after(5), None)
    assert owner.login().state is LoginState.APPROVED
    assert owner.account.history[-1].method is Method.REMEMBERED
    assert owner.account.push.sent == ()


def test_a_remembered_browser_expires() -> None:
    for at, sessions in ((WEEK_LATER, 1), (WEEK_LATER + timedelta(milliseconds=1), 0)):
        owner = _remembering()
        owner.take(a_sign_in(at=at, **KNOWN))
        assert len(owner.account.sessions) == sessions


@pytest.mark.parametrize("days", [0, 1])
def test_a_shorter_setting_applies_to_remembered_browsers(days: int) -> None:
    owner = _remembering(days)
    owner.challenge(a_sign_in(at=after(1) + timedelta(days=days), **KNOWN))
    assert owner.account.sessions == ()


def test_another_browser_needs_the_second_factor() -> None:
    for digest in (None, a_digest("another")):
        owner = _remembering()
        owner.challenge(a_sign_in(remembered_digest=digest))
        assert owner.account.sessions == ()


def test_a_remembered_browser_needs_the_right_password() -> None:
    _remembering().refuse(a_sign_in(password_hash="$argon2id$0", **KNOWN), Rejection.PASSWORD_CHANGED)
    _remembering(passwords=Attempts(others=Throttle(paused_until=after(60)))).refuse(
        a_sign_in(**KNOWN), Rejection.LOCKED
    )


def test_a_remembered_browser_without_methods_has_to_enrol() -> None:
    owner = _remembering(paired=False)
    owner.take(a_sign_in(**KNOWN))
    assert owner.login().state is LoginState.NEEDS_PHONE
    assert owner.account.sessions == ()


def test_no_remembered_browser_is_accepted_after_a_report() -> None:
    owner = _remembering(push=Push(reported=Reported(browser=a_browser(), started_at=after(), at=after())))
    owner.take(a_sign_in(**KNOWN))
    assert owner.account.sessions == ()


def test_a_remembered_browser_cannot_extend_its_own_lifetime() -> None:
    owner = _remembering()
    owner.take(a_sign_in(at=after(minutes=60), **KNOWN, remember_digest=a_digest("renewed")))
    assert owner.account.remembered == (a_remembered_browser(),)
    assert HistoryKind.BROWSER_REMEMBERED not in owner.history()


def test_a_remembered_browser_does_not_reset_the_count_of_codes() -> None:
    owner = _remembering()
    owner.challenge(a_sign_in("guessing"))
    for number in range(4):
        owner.take(a_wrong_code(login_id="guessing"))
        owner.take(a_sign_in(f"login-{number}", after(number), **KNOWN))
    assert owner.take(a_wrong_code(after(5), "guessing")).outcome == Rejection.CODES_PAUSED


def test_a_remembered_browser_ends_no_pause() -> None:
    paused = Push(denials=denied(3, after()))
    owner = _remembering(push=paused, codes=Attempts(others=Throttle(failures=7, paused_until=after(60))))
    owner.take(a_sign_in(at=after(1), **KNOWN))
    assert len(owner.account.sessions) == 1
    assert owner.account.push == paused
    assert (owner.account.codes.others.failures, owner.account.codes.others.paused_until) == (7, after(60))


def test_the_owner_can_forget_a_browser() -> None:
    owner = signed_in(remembered=(a_remembered_browser(), a_remembered_browser("another")), policy=_week())
    owner.take(a_forgetting(a_digest("r"), after(1)))
    assert [each.digest for each in owner.account.remembered] == [a_digest("another")]
    assert owner.account.history[-1].what is HistoryKind.BROWSER_FORGOTTEN
    owner.challenge(a_sign_in(at=after(2), **KNOWN))


def test_forgetting_needs_a_session_and_ignores_unknown_browsers() -> None:
    owner = signed_in(remembered=(a_remembered_browser(),))
    owner.ignore(a_forgetting(a_digest("another")))
    owner.refuse(a_forgetting(a_digest("r"), session_digest=a_digest("another")), Rejection.NO_SESSION)


def test_remembered_browsers_are_bounded_and_the_oldest_is_dropped() -> None:
    many = tuple(a_remembered_browser(str(number)) for number in range(MOST_REMEMBERED))
    owner = _remembering(remembered=many)
    owner.take(a_response(owner.challenge(a_sign_in(**WISH))))
    assert [each.digest for each in owner.account.remembered] == [*(each.digest for each in many[1:]), a_digest("r")]


def _week() -> dict[str, Any]:
    return {"remember_days": WEEK.days}


def test_the_history_has_the_remembered_browser() -> None:
    owner = Owner(remember_days=WEEK.days)
    there = a_browser(name="Safari on iPhone")
    owner.take(a_response(owner.challenge(a_sign_in(browser=there, **WISH)), at=after(5)))
    entry = owner.account.history[-1]
    assert (entry.what, entry.at, entry.browser) == (HistoryKind.BROWSER_REMEMBERED, after(5), there)
    assert owner.account.remembered[0].browser == there


def test_the_history_names_no_phone_without_a_challenge() -> None:
    owner = _remembering()
    owner.take(a_sign_in(at=after(5), **KNOWN))
    entry = owner.account.history[-1]
    assert (entry.what, entry.device_name) == (HistoryKind.SIGNED_IN, "")


def _marked(owner: Owner, login_id: str, browser_digest: str | None) -> bool:
    """Sign in, and return whether the phone shows the browser as a new one."""
    challenge = owner.challenge(a_sign_in(login_id, browser_digest=browser_digest))
    marked = verify_challenge(challenge)[0].browser.first_time
    owner.take(a_response(challenge))
    return marked


def test_a_browser_is_marked_as_new_until_it_completes_a_sign_in() -> None:
    owner = Owner(challenges=at_most(10))
    assert _marked(owner, "first", HOME)
    assert not _marked(owner, "second", HOME)
    assert _marked(owner, "third", CAFE)
    assert not _marked(owner, "fourth", HOME)


@pytest.mark.parametrize("verdict", [Verdict.DENY, Verdict.REPORT])
def test_a_denied_sign_in_makes_no_browser_known(verdict: Verdict) -> None:
    owner = Owner()
    owner.take(a_response(owner.challenge(a_sign_in(browser_digest=HOME)), verdict))
    assert owner.account.known_browsers == ()


def test_a_sign_in_by_code_makes_the_browser_known() -> None:
    owner = Owner()
    owner.take(a_sign_in(browser_digest=HOME))
    owner.take(a_code())
    assert owner.account.known_browsers == (HOME,)


def test_a_confirmation_makes_no_browser_known() -> None:
    owner = signed_in()
    owner.take(a_confirmation())
    owner.take(a_code(login_id="confirm-1"))
    assert owner.account.known_browsers == ()


def test_the_phone_gets_the_other_details_unchanged() -> None:
    browser = a_browser(name="Chrome on Windows", address="203.0.113.9", place="Geneva, Switzerland")
    challenge = Owner().challenge(a_sign_in(browser=browser, browser_digest=HOME))
    assert verify_challenge(challenge)[0].browser == browser.model_copy(update={"first_time": True})


def test_a_browser_cannot_claim_to_be_known() -> None:
    challenge = Owner().challenge(a_sign_in(browser=a_browser(first_time=False), browser_digest=CAFE))
    assert verify_challenge(challenge)[0].browser.first_time


def test_known_browsers_are_bounded_and_the_least_recent_is_dropped() -> None:
    many = tuple(a_digest(f"browser {number}") for number in range(MOST_KNOWN_BROWSERS))
    owner = Owner(an_account(known_browsers=many), challenges=at_most(10))
    _marked(owner, "first", many[0])
    _marked(owner, "second", HOME)
    assert owner.account.known_browsers == (*many[2:], many[0], HOME)
    assert len(owner.account.known_browsers) == MOST_KNOWN_BROWSERS
    assert _marked(owner, "third", many[1])
    assert owner.account.history[-1].at == after()
