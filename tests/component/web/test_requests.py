"""Requests to approve sign-ins: a person answers them, or they end."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, Page, expect

from protocol.challenges import verify_proof
from protocol.jose import PrivateKey
from schemas.base import Browser
from schemas.contract import Purpose, Verdict
from tests.component.web.stage import Stage, a_paired_phone, ask, press, result_is

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("button", "verdict", "heading"),
    [
        ("approve", Verdict.APPROVE, "Sign-in approved"),
        ("deny", Verdict.DENY, "Sign-in denied"),
        ("report", Verdict.REPORT, "Reported"),
    ],
)
async def test_each_answer_is_signed_over_the_challenge(
    page: Page, services: Stage, button: str, verdict: Verdict, heading: str
) -> None:
    challenge = await services.ask(services.claims(services.device_id, Purpose.LOGIN))
    await expect(page.get_by_role("heading", name="Approve this sign-in?")).to_be_focused()
    await press(page, button)
    await result_is(page, heading)
    assert verify_proof(challenge, services.requests[-1].compact).verdict is verdict
    await press(page, "done")
    await press(page, "tab-history")
    await expect(page.get_by_test_id("history-row")).to_have_count(1)
    await expect(page.get_by_test_id("history-row").first).to_contain_text(heading.rsplit(maxsplit=1)[-1].capitalize())


async def test_a_key_that_its_issuer_rotates_in_is_believed_and_a_stranger_s_is_not(
    page: Page, services: Stage
) -> None:
    newer = PrivateKey.generate()
    services.served = [services.key, newer]
    await services.ask(services.claims(services.device_id, Purpose.LOGIN), PrivateKey.generate())
    await services.ask(services.claims(services.device_id, Purpose.LOGIN, account_name="newer"), newer)
    await expect(page.get_by_test_id("request-account")).to_have_text("newer")
    await press(page, "deny")
    await result_is(page, "Sign-in denied")
    services.served = []
    await services.ask(services.claims(services.device_id, Purpose.LOGIN, account_name="pinned"), newer)
    await expect(page.get_by_test_id("request-account")).to_have_text("pinned")


async def test_a_request_shows_its_origin_as_far_as_known(page: Page, services: Stage) -> None:
    known = Browser(name="Safari on Mac", address="192.0.2.7", place="Geneva, Switzerland", first_time=True)
    await ask(services, browser=known)
    await expect(page.get_by_test_id("request-place")).to_have_text("Geneva, Switzerland")
    await expect(page.get_by_test_id("first-time")).to_have_text("First sign-in from this browser")
    await press(page, "deny")
    await press(page, "done")
    await ask(services)
    await expect(page.get_by_test_id("request-address")).to_have_text("192.0.2.7")
    await expect(page.get_by_test_id("request-place")).to_have_count(0)
    await expect(page.get_by_test_id("first-time")).to_have_count(0)


async def test_several_requests_are_shown_oldest_first(page: Page, services: Stage) -> None:
    now = int(services.now().timestamp())
    await ask(services, account_name="second", iat=now - 5)
    await ask(services, account_name="first", iat=now - 10)
    await expect(page.get_by_test_id("request-count")).to_have_text("1 of 2 requests")
    await expect(page).to_have_title("(2) Salesforce Authenticator")
    await expect(page.get_by_test_id("request-account")).to_have_text("first")
    await press(page, "approve")
    await expect(page.get_by_test_id("done")).to_have_text("Next request (1 waiting)")
    await press(page, "done")
    await expect(page.get_by_test_id("request-account")).to_have_text("second")


async def test_a_request_for_more_than_a_sign_in_shows_it(page: Page, services: Stage) -> None:
    await services.ask(services.claims(services.device_id, Purpose.LOGIN, action="Change how this account signs in"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Confirm this change?")
    await expect(page.get_by_test_id("request-action")).to_have_text("Change how this account signs in")


@pytest.mark.parametrize(
    ("reason", "heading"),
    [("withdrawn", "Request withdrawn"), ("answered", "Already answered"), ("expired", "Too late")],
)
async def test_a_request_that_ends_shows_why(page: Page, services: Stage, reason: str, heading: str) -> None:
    claims = await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_visible()
    await services.end(claims, reason)
    await result_is(page, heading)


async def test_a_request_that_ended_while_the_phone_was_away_is_over(page: Page, services: Stage) -> None:
    claims = await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_visible()
    services.end_unheard(claims)
    await services.hang_up()
    await result_is(page, "Request withdrawn")


async def test_a_request_that_ends_behind_another_is_shown_briefly(page: Page, services: Stage) -> None:
    await ask(services)
    behind = await ask(services, iat=int(services.now().timestamp()) + 1)
    await expect(page.get_by_test_id("request-count")).to_have_text("1 of 2 requests")
    await services.end(behind, "withdrawn")
    await expect(page.get_by_test_id("notice")).to_contain_text("ended: withdrawn")
    await expect(page.get_by_test_id("approve")).to_be_visible()


async def test_a_request_runs_out_by_the_service_s_clock_where_nothing_is_heard(
    context: BrowserContext, services: Stage
) -> None:
    services.clock_offset = timedelta(hours=-3)
    page = await a_paired_phone(context, services)
    now = int(services.now().timestamp())
    await ask(services, iat=now - 3600, exp=now + 5)
    await expect(page.get_by_test_id("time-left")).to_have_text(re.compile(r"^0:0\d left$"))
    services.socket_problem = "unavailable"
    await services.hang_up()
    await result_is(page, "Too late")
    await press(page, "done")
    await press(page, "tab-history")
    await expect(page.get_by_test_id("history-row").first).to_contain_text("Not answered in time")


async def test_a_tap_meant_for_the_screen_before_answers_nothing(page: Page, services: Stage) -> None:
    code = """() => {
      window.seen = [];
      const look = () => {
        const found = document.querySelector('[data-testid="approve"]');
        if (found) window.seen.push(found.disabled);
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    }"""
    await page.evaluate(code)
    await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    assert await page.evaluate("() => window.seen[0]") is True
    await press(page, "approve")
    await result_is(page, "Sign-in approved")
