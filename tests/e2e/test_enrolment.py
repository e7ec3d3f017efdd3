"""Where the first pairing needs more than the password: a code by e-mail, or one that an administrator hands out."""

import re
from datetime import timedelta
from email.message import EmailMessage

import pytest
from playwright.async_api import expect

from tests.e2e.browser_page import Credentials
from tests.e2e.other_methods import make_recovery_codes
from tests.e2e.scenario import Scenario
from tests.polling import eventually
from tests.smtp import PostOffice

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.site("careful")]
MOST_MAILS = 5
A_DAY = timedelta(days=1)
TRIES = 5


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


async def test_a_code_by_e_mail_admits_to_the_first_pairing(scene: Scenario, post_office: PostOffice) -> None:
    person, computer = await scene.a_person(with_email=True), await scene.a_computer()
    phone = await scene.a_pocket_phone()
    await computer.sign_in(person)
    await computer.reads("ONE MORE STEP")
    await expect(computer.page.get_by_text("a…@example.org")).to_be_visible()
    await expect(computer.part("code")).to_have_count(0)
    await computer.press("send-code")
    (letter,) = await letters(post_office, person, 1)
    await computer.enter_code(code_in(letter)[::-1])
    await computer.is_told("That code did not match", "in the latest e-mail")
    await computer.enter_code(code_in(letter))
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")

    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    await expect(computer.part("notices-to")).to_contain_text("a…@example.org")
    await make_recovery_codes(computer)
    subjects = [each["Subject"] for each in await letters(post_office, person, 3)]
    assert subjects == [
        "Account Manager: your code to connect a phone",
        "Account Manager: a phone was connected",
        "Account Manager: new recovery codes were made",
    ]


async def test_only_the_latest_e_mail_s_code_is_taken_and_few_are_sent(
    scene: Scenario, post_office: PostOffice
) -> None:
    person, computer = await scene.a_person(with_email=True), await scene.a_computer()
    await computer.sign_in(person)
    for count in range(1, MOST_MAILS + 1):
        await computer.press("send-code")
        sent = await letters(post_office, person, count)
    await computer.press("send-code")
    await computer.is_told("No more e-mails for now", "Look for the latest one in your inbox")
    await computer.enter_code(code_in(sent[0]))
    await computer.is_told("That code did not match")
    await computer.enter_code(code_in(sent[-1]))
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")


async def test_an_e_mailed_code_admits_only_the_browser_that_asked_for_it(
    scene: Scenario, post_office: PostOffice
) -> None:
    person = await scene.a_person(with_email=True)
    owner, thief = await scene.a_computer(), await scene.a_computer()
    for computer in (owner, thief):
        await computer.sign_in(person)
        await computer.reads("ONE MORE STEP")
    await owner.press("send-code")
    (letter,) = await letters(post_office, person, 1)
    await thief.press("send-code")
    await letters(post_office, person, 2)
    await thief.enter_code(code_in(letter))
    await thief.is_told("That code did not match")
    await owner.enter_code(code_in(letter))
    await owner.reads("CONNECT SALESFORCE AUTHENTICATOR")


async def test_an_administrator_s_code_admits_to_the_first_pairing(scene: Scenario) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    code = await scene.accounts.invite(person.name, A_DAY)
    await computer.sign_in(person)
    await computer.reads("ONE MORE STEP")
    for path in ("/connect", "/pair", "/send", "/code", "/account"):
        await computer.open(path)
        await computer.reads("ONE MORE STEP")
    await computer.enter_code(f" {code.lower().replace('-', ' ')} ")
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    await expect(computer.page.get_by_text("Enrolment code issued by an administrator")).to_be_visible()


async def test_a_wrong_enrolment_code_says_so_and_five_pause(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    await computer.sign_in(person)
    for _ in range(TRIES - 1):
        await computer.enter_code("AAAA-BBBB-CCCC-DDDD")
        await computer.is_told("That code did not match", "from your administrator")
    await computer.enter_code("AAAA-BBBB-CCCC-DDDD")
    await computer.is_told("Codes are paused")
    await expect(computer.part("notice-text")).to_have_text(re.compile(r"you can try again in \d+ seconds?\."))
    await expect(computer.part("code")).to_be_disabled()
    await computer.page.reload()
    await computer.is_told("Codes are paused")


async def test_an_enrolment_code_admits_one_browser_only(scene: Scenario) -> None:
    person = await scene.a_person()
    first, second = await scene.a_computer(), await scene.a_computer()
    code = await scene.accounts.invite(person.name, A_DAY)
    for computer in (first, second):
        await computer.sign_in(person)
        await computer.enter_code(code)
    await first.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await second.is_told("That code did not match")


async def test_a_newer_code_takes_the_place_of_an_older_one(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    old = await scene.accounts.invite(person.name, A_DAY)
    new = await scene.accounts.invite(person.name, A_DAY)
    await computer.sign_in(person)
    await computer.enter_code(old)
    await computer.is_told("That code did not match")
    await computer.enter_code(new)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")


async def test_after_a_reset_the_owner_enrols_anew(scene: Scenario) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    await computer.sign_in(person)
    await computer.enter_code(await scene.accounts.invite(person.name, A_DAY))
    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)

    await scene.accounts.reset(person.name)
    await phone.forgets(person.name)
    await computer.page.reload()
    await computer.reads("SIGN IN")
    await computer.enter(person.name, person.password)
    await computer.reads("ONE MORE STEP")
    await computer.enter_code(await scene.accounts.invite(person.name, A_DAY))
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
