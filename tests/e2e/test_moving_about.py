"""Reload, back button, a second tab, a closed browser, a cancel: safe at every step of a sign-in."""

import asyncio

import pytest
from playwright.async_api import expect

from authenticator.device.state import ChallengeOutcome
from schemas.contract import Purpose
from tests.e2e.scenario import Scenario
from tests.e2e.steps import STEPS
from tests.polling import DEADLINE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="session")
OTHER_ADDRESSES = ("/", "/sign-in", "/pair", "/pair/wait", "/wait", "/complete", "/account")


@pytest.mark.parametrize("name", STEPS)
async def test_reload_back_button_and_a_second_tab_lead_to_the_right_page(scenario: Scenario, name: str) -> None:
    step, first = STEPS[name], await scenario.a_computer()
    standing = await step.reach(scenario, first)
    await first.page.reload()
    await first.reads(step.heading)
    await first.page.go_back()
    await first.reads(step.before)
    await first.page.go_forward()
    await first.reads(step.heading)
    await first.is_at(step.path)

    second = await scenario.a_window(first.page.context)
    for address in OTHER_ADDRESSES:
        await second.open(address)
        await second.reads(*step.allowed)
    await second.open(step.path)
    await step.finish(second, standing)

    if step.stale is not None:
        await step.stale(first)
    await first.is_signed_in(standing.person)


@pytest.mark.parametrize("name", ["pair", "pair wait", "wait", "account"])
async def test_a_browser_that_was_closed_goes_on_where_it_was(scenario: Scenario, name: str) -> None:
    step, computer = STEPS[name], await scenario.a_computer()
    standing = await step.reach(scenario, computer)
    kept = await computer.page.context.storage_state()
    await computer.page.context.close()

    reopened = await scenario.a_computer(storage_state=kept)
    await reopened.open()
    await reopened.reads(*step.allowed)
    await reopened.open(step.path)
    await step.finish(reopened, standing)


@pytest.mark.parametrize("name", ["connect", "pair", "paired", "send"])
async def test_a_sign_in_can_be_canceled(scenario: Scenario, name: str) -> None:
    step, computer = STEPS[name], await scenario.a_computer()
    await step.reach(scenario, computer)
    await computer.press("cancel")
    await computer.shows_message("Sign-in canceled", "You can sign in again at any time.")
    await computer.press("sign-in-again")
    await computer.reads("SIGN IN")


@pytest.mark.parametrize(("name", "purpose"), [("pair wait", Purpose.PAIRING), ("wait", Purpose.LOGIN)])
async def test_a_canceled_sign_in_takes_its_request_back_from_the_phone(
    scenario: Scenario, name: str, purpose: Purpose
) -> None:
    step, computer = STEPS[name], await scenario.a_computer()
    standing = await step.reach(scenario, computer)
    request = await standing.phone.challenge(purpose)
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await computer.press("cancel")
    await computer.shows_message("Sign-in canceled")
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert await request.ended() is ChallengeOutcome.WITHDRAWN
    await computer.press("sign-in-again")
    await computer.reads("SIGN IN")
