"""The phone marks a browser in which the account has not completed a sign-in before."""

import pytest

from protocol.challenges import verify_challenge
from schemas.contract import Verdict
from services.login.domain.approval import MOST_KNOWN_BROWSERS
from tests.builders import a_browser, a_digest, after, an_account, at_most
from tests.events import a_response
from tests.messages import a_code, a_sign_in
from tests.session_messages import a_confirmation
from tests.unit.login.owner import Owner, signed_in

HOME, CAFE = a_digest("the browser at home"), a_digest("the browser in the café")


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
