"""Pages that go on by themselves: when another sign-in is over, and when a pause is."""

import pytest
from playwright.async_api import expect

from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5


async def test_of_two_sign_ins_at_once_the_second_is_sent_after_the_first(scenario: Scenario) -> None:
    first, second, phone = await scenario.a_computer(), await scenario.a_computer(), await scenario.a_pocket_phone()
    person = await scenario.paired(phone)
    await first.sign_in(person)
    await first.reads("CHECK YOUR PHONE")
    await second.sign_in(person)
    await second.reads("ONE REQUEST AT A TIME")
    await expect(second.part("send")).to_be_disabled()

    await first.complete_sign_in(person, phone)
    await second.reads("SEND THE REQUEST")
    await second.open("/account")
    await second.reads("SEND THE REQUEST")

    await second.press("send")
    await second.complete_sign_in(person, phone)


@pytest.mark.site("strict")
async def test_a_pause_that_is_over_lets_the_request_be_sent_from_the_page_that_waited(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_pocket_phone()
    person = await scenario.paired(phone)
    await scenario.deny_twice(person, phone)
    await computer.sign_in(person)
    await computer.reads("REQUESTS ARE PAUSED")
    await computer.reads("SEND THE REQUEST")
    await computer.press("send")
    await computer.complete_sign_in(person, phone)


@pytest.mark.site("strict")
async def test_a_paused_account_takes_the_password_once_the_pause_is_over(scenario: Scenario) -> None:
    person, computer = await scenario.a_person(), await scenario.a_computer()
    visitor = await scenario.a_visitor(person)
    for _ in range(TRIES - 1):
        await visitor.enter_password("wrong")
    await computer.sign_in(person, "wrong")
    await computer.shows_message("Sign-in is paused")
    await expect(computer.page.get_by_text("You can try again now.")).to_be_visible()
    await computer.enter(person.name, person.password)
    await computer.reads("ONE MORE STEP")
