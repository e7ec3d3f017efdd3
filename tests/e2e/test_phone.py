"""What the authenticator web app shows of pairings, sign-ins and codes, and the computer at the same time."""

import pytest
from playwright.async_api import expect

from tests.e2e.console_errors import OUTAGE
from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_approval_with_the_number_is_told_on_both_sides_and_kept_in_the_history(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await computer.complete_sign_in(person, phone)
    await phone.press("tab-history")
    await expect(phone.part("history-row")).to_have_count(2)
    await expect(phone.part("history-row").first).to_contain_text("Approved")
    await expect(phone.part("history-row").last).to_contain_text("Connected")


@pytest.mark.parametrize(
    ("button", "on_the_phone", "on_the_computer", "in_the_history"),
    [("deny", "Sign-in denied", "Sign-in declined", "Denied"), ("report", "Reported", "Sign-in reported", "Reported")],
)
async def test_each_answer_is_told_on_both_sides_and_kept_in_the_history(
    scenario: Scenario, button: str, on_the_phone: str, on_the_computer: str, in_the_history: str
) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await phone.answer(button, on_the_phone)
    await computer.reads(on_the_computer)
    await phone.press("tab-history")
    await expect(phone.part("history-row")).to_have_count(2)
    await expect(phone.part("history-row").first).to_contain_text(in_the_history)
    await expect(phone.part("history-row").first).to_contain_text(person.name)
    await expect(phone.part("history-row").last).to_contain_text("Connected")


async def test_a_browser_in_which_nobody_signed_in_before_is_marked(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await expect(phone.part("first-time")).to_have_text("First sign-in from this browser")
    await computer.complete_sign_in(person, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await phone.reads("Approve this sign-in?")
    await expect(phone.part("first-time")).to_have_count(0)


async def test_a_phone_that_was_offline_comes_back_and_shows_what_waits(scenario: Scenario) -> None:
    scenario.console_errors.tolerate(OUTAGE)
    computer, phone = await scenario.a_computer(), await scenario.a_phone(keeps_app=True)
    person = await scenario.paired(phone)
    await phone.page.context.set_offline(True)
    await phone.page.reload()
    await phone.reads("Accounts")
    await expect(phone.part("account-row")).to_contain_text(person.name)
    await expect(phone.part("connection")).to_have_text("Offline. Waiting for a network.")

    await computer.page.clock.install()
    await computer.sign_in(person)
    await computer.reads("CHECK YOUR PHONE")
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "sending")
    await computer.page.clock.fast_forward("00:10")
    await expect(computer.part("delivery")).to_contain_text("Nothing on your phone yet? Open Salesforce Authenticator")
    await phone.page.context.set_offline(False)
    await computer.complete_sign_in(person, phone)


async def test_a_request_that_is_taken_back_leaves_the_screen(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await computer.press("cancel")
    await phone.reads("Request withdrawn")
    await phone.press("done")
    await phone.reads("Accounts")


async def test_a_code_completes_a_sign_in_and_takes_the_request_back_from_the_phone(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    code = await phone.code()
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await computer.use_code(code)
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text(f"Signed in, with a code from {NAME}")
    await phone.reads("Request withdrawn")


async def test_a_code_works_while_the_phone_is_offline(scenario: Scenario) -> None:
    scenario.console_errors.tolerate(OUTAGE)
    computer, phone = await scenario.a_computer(), await scenario.a_phone(keeps_app=True)
    person = await scenario.paired(phone)
    await phone.page.context.set_offline(offline=True)
    await phone.page.reload()
    await expect(phone.part("connection")).to_have_text("Offline. Waiting for a network.")
    await computer.sign_in(person)
    await computer.use_code(await phone.code())
    await computer.is_signed_in(person)


async def test_a_declined_pairing_is_told_on_both_sides_and_can_be_tried_again(scenario: Scenario) -> None:
    person, computer, phone = await scenario.a_person(), await scenario.a_computer(), await scenario.a_phone()
    await computer.go_to_pairing(person)
    await computer.connect_device(await phone.new_phrase())
    await phone.answer("decline", "Pairing declined")
    await computer.shows_message("Pairing declined", "If you tapped the wrong button, try again. Tap + New Account")
    await expect(phone.part("account-row")).to_have_count(0)

    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")


async def test_a_wrong_number_ends_the_sign_in_and_both_sides_say_so(scenario: Scenario) -> None:
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await phone.part("number").fill(str(10 + (await computer.number() - 9) % 90))
    await phone.press("approve")
    await computer.shows_message("The number did not match", "enter the new number")
    await phone.reads("Wrong number")
    await expect(phone.part("result")).to_contain_text("Sign in again at your computer")
    await phone.press("done")

    await computer.press("sign-in-again")
    await computer.enter(person.name, person.password)
    await computer.complete_sign_in(person, phone)
    wrong = f"Wrong number entered on {NAME}"
    await expect(computer.page.get_by_text(wrong)).to_be_visible()


async def test_the_phone_s_app_shows_that_it_was_removed(scenario: Scenario) -> None:
    phone = await scenario.a_phone()
    person = await scenario.paired(phone)
    await scenario.replace_phone(person, phone)
    await expect(phone.part("account-row")).to_have_count(0)
    await phone.press("tab-history")
    await expect(phone.part("history-row").first).to_contain_text("Disconnected")
    await expect(phone.part("history-row").first).to_contain_text(person.name)


async def test_a_change_is_confirmed_on_the_phone(scenario: Scenario) -> None:
    phone = await scenario.a_phone()
    person, computer = await scenario.signed_in(phone, remember="on")
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_signed_in(person)
    await computer.press("confirm")
    await phone.reads("Confirm this change?")
    await computer.complete_sign_in(person, phone)
    await expect(computer.part("history-entry").first).to_contain_text("Confirmed before a change, approved on")
    await computer.press("make-codes")
    await computer.reads("RECOVERY CODES")
