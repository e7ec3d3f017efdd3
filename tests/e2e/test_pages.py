"""Each page of pairing and signing in, and of the phone: pictured, and looked over for what no page may have."""

import pytest
from playwright.async_api import expect

from protocol.jose import PrivateKey
from protocol.phrases import draw_phrase
from tests.e2e.browser_page import Credentials
from tests.e2e.console_errors import OUTAGE
from tests.e2e.phone import WebPhone, issue_phrase
from tests.e2e.scenario import Scenario
from tests.e2e.screenshots import Screenshots

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5


async def walk_the_flow(scenario: Scenario, screenshots: Screenshots) -> None:
    """Go through everything that goes well, at the computer and on the phone."""
    person, computer, phone = (
        await scenario.a_person(),
        await scenario.a_computer(),
        await scenario.a_phone(keeps_app=True),
    )
    await screenshots.take(phone, "phone-no-accounts")
    await phone.press("tab-history")
    await screenshots.take(phone, "phone-no-history", "History")
    await phone.press("tab-accounts")
    await computer.open()
    await screenshots.take(computer, "sign-in")
    await computer.enter(person.name, person.password)
    await screenshots.take(computer, "connect", "CONNECT SALESFORCE AUTHENTICATOR")
    await computer.press("submit")
    await screenshots.take(computer, "pair", "PAIR A DEVICE")
    phrase = await phone.new_phrase()
    await screenshots.take(phone, "phone-phrase")
    await computer.connect_device(phrase)
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await screenshots.take(computer, "pair-wait")
    await screenshots.take(phone, "phone-pairing", "Connect this account?")
    await phone.press("accept")
    await screenshots.take(phone, "phone-connected", "Account connected")
    await phone.press("done")
    await screenshots.take(computer, "paired", "DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await screenshots.take(computer, "wait")
    await screenshots.take(phone, "phone-sign-in", "Approve this sign-in?")
    await walk_two_at_once(scenario, screenshots, person)
    await phone.part("number").fill(str(await computer.number()))
    await phone.press("approve")
    await screenshots.take(phone, "phone-approved", "Sign-in approved")
    await phone.press("done")
    await computer.is_signed_in(person)
    await screenshots.take(computer, "account")
    await walk_the_phone(screenshots, phone)
    await walk_the_endings(scenario, screenshots, person, phone)


async def walk_two_at_once(scenario: Scenario, screenshots: Screenshots, person: Credentials) -> None:
    """See a second sign-in wait for the first."""
    second = await scenario.a_computer()
    await second.sign_in(person)
    await screenshots.take(second, "send-later", "ONE REQUEST AT A TIME")
    await second.press("cancel")
    await second.shows_message("Sign-in canceled")
    await screenshots.take(second, "ended-canceled")


async def walk_the_phone(screenshots: Screenshots, phone: WebPhone) -> None:
    """See what the phone keeps."""
    await screenshots.take(phone, "phone-accounts", "Accounts")
    await phone.press("tab-history")
    await expect(phone.part("history-row")).to_have_count(2)
    await screenshots.take(phone, "phone-history")
    await phone.press("tab-settings")
    await screenshots.take(phone, "phone-settings", "Settings")
    await phone.press("remove-account")
    await screenshots.take(phone, "phone-remove", "Remove this account?")
    await phone.press("keep")
    await phone.reads("Accounts")


async def walk_the_endings(scenario: Scenario, screenshots: Screenshots, person: Credentials, phone: WebPhone) -> None:
    """See how sign-ins end without a session."""
    computer, other = await scenario.a_computer(), await scenario.a_computer()
    await computer.sign_in(person)
    await phone.press("deny")
    await screenshots.take(phone, "phone-denied", "Sign-in denied")
    await screenshots.take(computer, "ended-declined", "Sign-in declined")
    await phone.press("done")
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await other.sign_in(person)
    await other.reads("ONE REQUEST AT A TIME")
    await computer.press("cancel")
    await screenshots.take(phone, "phone-withdrawn", "Request withdrawn")
    await screenshots.take(other, "send-now", "SEND THE REQUEST")
    await other.press("cancel")
    await phone.press("done")
    await computer.sign_in(person)
    await computer.reads("CHECK YOUR PHONE")
    await other.sign_in(person)
    await other.reads("ONE REQUEST AT A TIME")
    await phone.press("report")
    await screenshots.take(phone, "phone-reported", "Reported")
    await screenshots.take(computer, "ended-reported", "Sign-in reported")
    await screenshots.take(other, "ended-stopped", "Sign-in stopped")
    await walk_offline(scenario, screenshots, phone)


async def walk_offline(scenario: Scenario, screenshots: Screenshots, phone: WebPhone) -> None:
    """See the phone without a network."""
    scenario.console_errors.tolerate(OUTAGE)
    await phone.press("done")
    await phone.page.context.set_offline(offline=True)
    await phone.page.reload()
    await expect(phone.part("connection")).to_have_text("Offline. Waiting for a network.")
    await screenshots.take(phone, "phone-offline")
    await phone.press("new-account")
    await screenshots.take(phone, "phone-no-phrase", "No phrase available")


async def walk_the_refusals(scenario: Scenario, screenshots: Screenshots) -> None:
    """See what is refused before any phone is asked."""
    person, computer = await scenario.a_person(), await scenario.a_computer()
    await computer.go_to_pairing(person)
    await computer.connect_device("crimson oter")
    await computer.shows_message("Check the spelling")
    await screenshots.take(computer, "pair-mistyped")
    await computer.connect_device((await issue_phrase(scenario.stack.urls["pairing"], PrivateKey.generate())).phrase)
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "late")
    await screenshots.take(computer, "pair-wait-late")
    await computer.press("cancel")
    await computer.press("sign-in-again")
    await computer.enter(person.name, person.password)
    await computer.press("submit")
    for _ in range(TRIES - 2):
        await computer.connect_device(draw_phrase())
        await computer.shows_message("No phone shows this phrase")
    await screenshots.take(computer, "pair-unknown")
    await computer.connect_device(draw_phrase())
    await computer.shows_message("Pairing is paused")
    await screenshots.take(computer, "pair-paused")


async def walk_the_wrong_passwords(scenario: Scenario, screenshots: Screenshots) -> None:
    """See what is refused before a sign-in begins."""
    person, computer = await scenario.a_person(), await scenario.a_computer()
    await computer.sign_in(person, "wrong")
    await computer.shows_message("That did not match")
    await screenshots.take(computer, "sign-in-refused")
    for _ in range(TRIES - 2):
        await computer.enter(person.name, "wrong")
    await computer.enter(person.name, "wrong")
    await computer.shows_message("Sign-in is paused")
    await screenshots.take(computer, "sign-in-paused")
    scenario.console_errors.tolerate("status of 404")
    await computer.open("/nowhere")
    await computer.shows_message("Page not found")
    await screenshots.take(computer, "not-found")
    await computer.page.get_by_role("link", name="Go to the start page").click()
    await computer.reads("SIGN IN")


async def test_every_page_of_pairing_and_signing_in_has_its_picture(
    scenario: Scenario, screenshots: Screenshots
) -> None:
    newcomer = await scenario.an_unnamed_phone()
    await screenshots.take(newcomer, "phone-welcome", "Welcome")
    await walk_the_wrong_passwords(scenario, screenshots)
    await walk_the_refusals(scenario, screenshots)
    await walk_the_flow(scenario, screenshots)


async def test_the_number_is_seen_without_scrolling(scenario: Scenario) -> None:
    person = await scenario.paired(await scenario.a_pocket_phone())
    computer = await scenario.a_computer()
    await computer.sign_in(person)
    await computer.number()
    for width, height in ((320, 568), (390, 600), (1280, 600)):
        await computer.page.set_viewport_size({"width": width, "height": height})
        await computer.page.reload()
        await expect(computer.part("number")).to_be_in_viewport(ratio=1)
