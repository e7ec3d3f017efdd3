"""Account Manager without JavaScript: the pages that wait look for themselves."""

import pytest
from playwright.async_api import expect

from schemas.contract import Verdict
from tests.e2e.other_methods import add_app, make_recovery_codes
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEW_PASSWORD = "a lantern over seven quiet harbours"
TRIES = 5


async def test_the_whole_flow_works_without_scripts(scenario: Scenario) -> None:
    person, phone = await scenario.a_person(), await scenario.a_pocket_phone()
    computer = await scenario.a_computer(java_script_enabled=False)
    await computer.go_to_pairing(person)
    await computer.connect_device("crimson oter")
    await computer.shows_message("Check the spelling")
    await computer.connect_device(await phone.new_phrase())
    await computer.reads("ACCEPT ON YOUR PHONE")
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await computer.complete_sign_in(person, phone)

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.reads("CHECK YOUR PHONE")
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await phone.answer(Verdict.DENY)
    await computer.shows_message("Sign-in declined")


async def test_a_second_sign_in_without_scripts_sees_when_its_request_can_be_sent(scenario: Scenario) -> None:
    phone, first = await scenario.a_pocket_phone(), await scenario.a_computer()
    person = await scenario.paired(phone)
    second = await scenario.a_computer(java_script_enabled=False)
    await first.sign_in(person)
    await first.reads("CHECK YOUR PHONE")
    await second.sign_in(person)
    await second.reads("ONE REQUEST AT A TIME")
    await phone.approve(await first.number())
    await second.reads("SEND THE REQUEST")
    await second.press("send")
    await second.complete_sign_in(person, phone)


async def test_the_account_s_forms_and_codes_work_without_scripts(scenario: Scenario) -> None:
    phone, computer = await scenario.a_pocket_phone(), await scenario.a_computer(java_script_enabled=False)
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await computer.complete_sign_in(person, phone)
    codes = await make_recovery_codes(computer)
    app = await add_app(computer)
    await computer.press("change-password")
    await computer.change_password(person.password, NEW_PASSWORD)
    await computer.is_signed_in(person)

    await computer.press("sign-out")
    await computer.enter(person.name, NEW_PASSWORD)
    await computer.use_code(app.code(1))
    await computer.is_signed_in(person)
    await computer.press("sign-out")
    await computer.enter(person.name, NEW_PASSWORD)
    await computer.use_code(codes[0])
    await computer.is_signed_in(person)


@pytest.mark.site("strict")
async def test_pauses_end_by_themselves_without_scripts(scenario: Scenario) -> None:
    phone, computer = await scenario.a_pocket_phone(), await scenario.a_computer(java_script_enabled=False)
    person = await scenario.paired(phone)
    await scenario.deny_twice(person, phone)
    await computer.sign_in(person)
    await computer.reads("REQUESTS ARE PAUSED")
    await computer.reads("SEND THE REQUEST")
    await computer.press("use-code")
    for _ in range(TRIES):
        await computer.enter_code("no code")
        await expect(computer.part("notice-title")).to_be_visible()
    await computer.shows_message("Codes are paused")
    await expect(computer.part("code")).to_be_enabled()
    await computer.enter_code(phone.code())
    await computer.is_signed_in(person)
