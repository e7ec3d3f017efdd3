"""Each page of the account, and of codes: pictured, and looked over for what no page may have."""

import pytest
from playwright.async_api import expect

from lab.testkit.phone import PocketPhone
from schemas.contract import Verdict
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.scenario import Scenario
from tests.e2e.screenshots import Screenshots

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5
WRONG_CODE = "WRONG-WRONG"


async def sign_in_remembered(
    computer: BrowserPage, screenshots: Screenshots, person: Credentials, phone: PocketPhone
) -> None:
    """Sign in in a browser that is to be remembered."""
    await computer.open("/sign-in")
    await computer.part("remember").check()
    await screenshots.take(computer, "sign-in-remember")
    await computer.enter(person.name, person.password)
    await computer.complete_sign_in(person, phone)


async def walk_adding(scenario: Scenario, screenshots: Screenshots, computer: BrowserPage) -> None:
    """Add a phone, an app and recovery codes."""
    other = await scenario.a_pocket_phone(name="Old tablet with a name that is rather long")
    await computer.press("add-phone")
    await screenshots.take(computer, "add-phone-connect", "CONNECT SALESFORCE AUTHENTICATOR")
    await computer.press("submit")
    await computer.connect_device(await other.new_phrase())
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await screenshots.take(computer, "add-phone-wait")
    await other.accept_pairing()
    await screenshots.take(computer, "add-phone-paired", "DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await computer.press("add-app")
    await screenshots.take(computer, "app", "ADD AN AUTHENTICATOR APP")
    await computer.page.get_by_text("Can't scan it?").click()
    await computer.enter_code("12345")
    await computer.shows_message("That code did not match")
    await computer.page.get_by_text("Can't scan it?").click()
    await screenshots.take(computer, "app-wrong-code")
    await computer.open("/account")
    await computer.press("make-codes")
    await screenshots.take(computer, "recovery-codes", "RECOVERY CODES")
    await computer.page.emulate_media(media="print")
    await screenshots.take(computer, "recovery-codes-printed")
    await computer.page.emulate_media(media="screen")
    await computer.press("done")


async def walk_the_account(screenshots: Screenshots, computer: BrowserPage, person: Credentials) -> None:
    """See the account's page with much on it, and the password's."""
    await computer.is_signed_in(person)
    await screenshots.take(computer, "account-full")
    await computer.part("change").last.click()
    await screenshots.take(computer, "account-changing")
    await computer.part("new-name").last.fill(" ")
    await computer.part("rename").last.click()
    await computer.shows_message("A name is needed")
    await screenshots.take(computer, "account-refused")
    await computer.press("change-password")
    await screenshots.take(computer, "password", "CHANGE THE PASSWORD")
    await computer.change_password(person.password, "password1234")
    await computer.shows_message("Choose another password")
    await screenshots.take(computer, "password-refused")


async def walk_confirming(
    screenshots: Screenshots, computer: BrowserPage, person: Credentials, phone: PocketPhone
) -> None:
    """Come in as a remembered browser, and be asked for the second factor."""
    await computer.open("/account")
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_signed_in(person)
    await screenshots.take(computer, "account-unconfirmed")
    await computer.press("change-password")
    await screenshots.take(computer, "password-unconfirmed", "CHANGE THE PASSWORD")
    await computer.press("confirm")
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await screenshots.take(computer, "wait-confirm")
    await phone.answer(Verdict.DENY)
    await computer.shows_message("Declined on the phone")
    await screenshots.take(computer, "ended-not-confirmed")
    await computer.press("back")
    await computer.press("confirm")
    await computer.reads("CHECK YOUR PHONE")
    await phone.approve(10 + (await computer.number() - 9) % 90)
    await computer.shows_message("The number did not match")
    await screenshots.take(computer, "ended-wrong-number-confirm")


async def walk_codes(scenario: Scenario, screenshots: Screenshots, person: Credentials) -> None:
    """See the page for codes, and the choice between phones."""
    computer, other = await scenario.a_computer(), await scenario.a_computer()
    await other.sign_in(person)
    await other.reads("CHECK YOUR PHONE")
    await computer.sign_in(person)
    await other.press("cancel")
    await screenshots.take(computer, "send-choice", "SEND THE REQUEST")
    await computer.press("use-code")
    await screenshots.take(computer, "code-with-recovery", "ENTER A VERIFICATION CODE")
    await computer.enter_code(WRONG_CODE)
    await computer.shows_message("That code did not match")
    await screenshots.take(computer, "code-wrong")
    for _ in range(TRIES - 2):
        await computer.enter_code(WRONG_CODE)
        await computer.shows_message("That code did not match")
    await computer.enter_code(WRONG_CODE)
    await computer.shows_message("Codes are paused")
    await screenshots.take(computer, "code-paused")


async def test_every_page_of_the_account_has_its_picture(scenario: Scenario, screenshots: Screenshots) -> None:
    phone, computer = await scenario.a_pocket_phone(), await scenario.a_computer()
    person = await scenario.paired(phone)
    await sign_in_remembered(computer, screenshots, person, phone)
    await walk_adding(scenario, screenshots, computer)
    await walk_the_account(screenshots, computer, person)
    await walk_confirming(screenshots, computer, person, phone)
    await walk_codes(scenario, screenshots, person)


async def test_recovery_codes_are_shown_once_and_print_without_buttons(scenario: Scenario) -> None:
    person, computer = await scenario.signed_in(await scenario.a_pocket_phone())
    await computer.press("make-codes")
    await computer.reads("RECOVERY CODES")
    await expect(computer.page.get_by_role("button", name="Print")).to_be_visible()
    await computer.page.emulate_media(media="print")
    await expect(computer.part("recovery-codes")).to_be_visible()
    await expect(computer.page.get_by_text(person.name)).to_be_visible()
    for hidden in (computer.part("done"), computer.page.get_by_role("button", name="Print")):
        await expect(hidden).to_be_hidden()
    await computer.open("/account")
    await computer.is_signed_in(person)
    await expect(computer.part("recovery-codes")).to_have_count(0)
