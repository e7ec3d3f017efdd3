"""One phone in two windows, and a phone whose push service goes away: on the real services."""

import asyncio

import pytest
from playwright.async_api import expect

from tests.e2e.console_errors import OUTAGE
from tests.e2e.phone import WebPhone
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_two_windows_of_a_phone_show_the_same_and_answer_once(scenario: Scenario) -> None:
    phone = await scenario.a_phone()
    person = await scenario.paired(phone)
    other = WebPhone(await phone.page.context.new_page(), phone.url)
    await other.page.goto(phone.url)
    await expect(other.part("account-row")).to_contain_text(person.name)
    await other.is_connected()

    computer = await scenario.a_computer()
    await computer.sign_in(person)
    for window in (phone, other):
        await window.reads("Approve this sign-in?")
        await expect(window.part("deny")).to_be_enabled()
    await computer.complete_sign_in(person, phone)
    await other.reads("Already answered")
    await other.press("done")
    for window in (phone, other):
        await window.press("tab-history")
        await expect(window.part("history-row")).to_have_count(2)
        await expect(window.part("history-row").first).to_contain_text("Approved")


@pytest.mark.site("fragile")
async def test_an_answer_given_while_the_push_service_is_away_arrives_when_it_is_back(scenario: Scenario) -> None:
    scenario.console_errors.tolerate(OUTAGE)
    phone = await scenario.a_phone()
    person = await scenario.paired(phone)
    computer = await scenario.a_computer()
    await computer.sign_in(person)
    await phone.part("number").fill(str(await computer.number()))

    scenario.stack.kill_service("push")
    await expect(phone.part("connection")).to_contain_text("Reconnecting")
    await phone.press("approve")
    await phone.reads("Not sent yet")
    await phone.page.goto("about:blank")
    await asyncio.to_thread(scenario.stack.restart_service, "push")
    await phone.page.goto(phone.url)
    await phone.reads("Sign-in approved")
    await computer.is_signed_in(person)


async def test_a_phrase_and_a_waiting_request_outlive_a_reload(scenario: Scenario) -> None:
    phone = await scenario.a_phone()
    phrase = await phone.new_phrase()
    await phone.page.reload()
    await expect(phone.part("phrase")).to_have_text(phrase)
    person = await scenario.a_person()
    await scenario.pair(person, phone, phrase)

    computer = await scenario.a_computer()
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await phone.page.reload()
    await phone.reads("Approve this sign-in?")
    await phone.answer("report", "Reported")
    await expect(computer.page.get_by_role("heading", level=1)).not_to_have_text("CHECK YOUR PHONE")
