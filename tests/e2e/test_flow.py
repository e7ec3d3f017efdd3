"""The main job from the first sign-in to the later ones, as a person with a computer and a phone does it."""

import re
from collections import Counter
from email.message import EmailMessage
from urllib.parse import urlsplit

import pytest
from playwright.async_api import expect

from tests.e2e.browser_page import Credentials
from tests.e2e.other_methods import make_recovery_codes
from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario
from tests.polling import eventually
from tests.smtp import PostOffice

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_person_pairs_a_phone_and_signs_in_with_it_again_and_again(scenario: Scenario) -> None:
    person = await scenario.a_person()
    computer, phone = await scenario.a_computer(), await scenario.a_phone(keeps_app=True)

    await computer.open()
    await computer.reads("SIGN IN")
    await computer.enter(person.name, person.password)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await computer.page.get_by_role("link", name="Continue").click()
    await computer.reads("PAIR A DEVICE")

    phrase = await phone.new_phrase()
    assert len(phrase.split()) == 2
    await computer.page.get_by_label("Pairing phrase").fill(f"  {phrase.upper().replace(' ', '   ')} ")
    await computer.page.get_by_role("button", name="CONNECT DEVICE", exact=True).click()
    await computer.reads("ACCEPT ON YOUR PHONE")
    await expect(computer.page.get_by_text(f"A notification was pushed to {NAME}.")).to_be_visible()
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")

    await phone.reads("Connect this account?")
    await expect(phone.part("request-service")).to_have_text("Account Manager")
    await expect(phone.part("request-account")).to_have_text(person.name)
    await phone.page.get_by_role("button", name="Accept", exact=True).click()
    await phone.reads("Account connected")
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await expect(computer.part("device-name")).to_have_text(NAME)

    await computer.page.get_by_role("button", name="OK", exact=True).click()
    await computer.reads("CHECK YOUR PHONE")
    await expect(computer.page.get_by_text(f"An authentication request was pushed to {NAME}.")).to_be_visible()
    await phone.reads("Approve this sign-in?")
    await expect(phone.part("request-browser")).to_have_text("Firefox on Linux")
    await expect(phone.part("request-address")).to_have_text("127.0.0.1")
    number = str(await computer.number())
    await phone.page.get_by_label("Enter the number that your computer shows").fill(number)
    await phone.page.get_by_role("button", name="Approve", exact=True).click()
    await computer.is_signed_in(person)
    await expect(computer.part("device-row")).to_contain_text(NAME)
    await phone.reads("Sign-in approved")
    await phone.press("done")
    await expect(phone.part("account-row")).to_contain_text(person.name)

    await computer.press("sign-out")
    await computer.reads("SIGN IN")
    await computer.enter(person.name, person.password)
    await computer.complete_sign_in(person, phone)
    await expect(computer.part("history-entry").first).to_contain_text(f"Signed in, approved on {NAME}")


async def test_the_waiting_pages_are_told_when_to_move_on_and_never_ask(scenario: Scenario) -> None:
    person, computer, phone = await scenario.a_person(), await scenario.a_computer(), await scenario.a_pocket_phone()
    await computer.go_to_pairing(person)
    asked: Counter[str] = Counter()
    computer.page.on("request", lambda request: asked.update([urlsplit(request.url).path]))
    async with computer.page.expect_response("**/events?at=/pair/wait"):
        await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    async with computer.page.expect_response("**/events?at=/wait"):
        await computer.press("ok")
    await computer.complete_sign_in(person, phone)
    assert (asked["/pair/wait"], asked["/wait"], asked["/complete"]) == (1, 1, 1)


async def letters(office: PostOffice, person: Credentials, count: int) -> list[EmailMessage]:
    """Wait for so many e-mails to a person; return them, the oldest first."""

    def come() -> list[EmailMessage]:
        return [each for each in office.messages if each["To"] == person.email]

    await eventually(lambda: len(come()) >= count)
    return come()


def code_in(letter: EmailMessage) -> str:
    """Return the code of an e-mail, as it stands there."""
    found = re.search(r"^ +(\d{3}\s\d{3})\s*$", letter.get_content(), re.MULTILINE)
    assert found is not None, letter.get_content()
    return found[1]


@pytest.mark.site("strict")
async def test_a_code_by_e_mail_admits_to_the_first_pairing(scenario: Scenario, post_office: PostOffice) -> None:
    person, computer = await scenario.a_person(with_email=True), await scenario.a_computer()
    phone = await scenario.a_pocket_phone()
    await computer.sign_in(person)
    await computer.reads("ONE MORE STEP")
    await expect(computer.page.get_by_text("a…@example.org")).to_be_visible()
    await expect(computer.part("code")).to_have_count(0)
    await computer.press("send-code")
    (letter,) = await letters(post_office, person, 1)
    await computer.enter_code(code_in(letter)[::-1])
    await computer.shows_message("That code did not match", "in the latest e-mail")
    await computer.enter_code(code_in(letter))
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")

    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await computer.complete_sign_in(person, phone)
    await expect(computer.part("notices-to")).to_contain_text("a…@example.org")
    await make_recovery_codes(computer)
    subjects = [each["Subject"] for each in await letters(post_office, person, 3)]
    assert subjects == [
        "Account Manager: your code to connect a phone",
        "Account Manager: a phone was connected",
        "Account Manager: new recovery codes were made",
    ]
