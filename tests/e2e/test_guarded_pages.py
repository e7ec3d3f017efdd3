"""Each page that says no for a while, or asks for more: pictured, and looked over for what no page may have."""

import pytest
from playwright.async_api import expect

from schemas.contract import Verdict
from tests.e2e.scenario import Scenario
from tests.e2e.screenshots import Screenshots

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5
WRONG_CODE = "WRONG-WRONG"


@pytest.mark.site("strict")
async def test_every_page_of_a_guarded_phone_has_its_picture(scenario: Scenario, screenshots: Screenshots) -> None:
    phone, computer = await scenario.a_pocket_phone(), await scenario.a_computer()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await phone.approve(10 + (await computer.number() - 9) % 90)
    await computer.shows_message("The number did not match")
    await screenshots.take(computer, "ended-wrong-number")
    await computer.sign_in(person)
    await computer.press("use-code")
    await screenshots.take(computer, "code", "ENTER A VERIFICATION CODE")
    await computer.press("use-push")
    await phone.answer(Verdict.DENY)
    await computer.shows_message("Sign-in declined")
    await computer.sign_in(person)
    await screenshots.take(computer, "send-paused", "REQUESTS ARE PAUSED")
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)
    await computer.press("sign-out")

    await computer.enter(person.name, person.password)
    await phone.answer(Verdict.REPORT)
    await computer.shows_message("Sign-in reported")
    await computer.sign_in(person)
    await screenshots.take(computer, "send-locked", "NO REQUESTS TO THE PHONE")
    await computer.press("use-code")
    await screenshots.take(computer, "code-locked", "ENTER A VERIFICATION CODE")
    await computer.enter_code(phone.code(1))
    await screenshots.take(computer, "password-reported", "CHANGE THE PASSWORD")
    await computer.open("/account")
    await computer.reads("CHANGE THE PASSWORD")


@pytest.mark.site("strict")
async def test_every_page_of_enrolment_has_its_picture(scenario: Scenario, screenshots: Screenshots) -> None:
    person, computer = await scenario.a_person(), await scenario.a_computer()
    await computer.sign_in(person)
    await screenshots.take(computer, "enrol", "ONE MORE STEP")
    await computer.enter_code(WRONG_CODE)
    await computer.shows_message("That code did not match")
    await screenshots.take(computer, "enrol-wrong")
    for _ in range(TRIES - 2):
        await computer.enter_code(WRONG_CODE)
        await computer.shows_message("That code did not match")
    await computer.enter_code(WRONG_CODE)
    await computer.shows_message("Codes are paused")
    await screenshots.take(computer, "enrol-paused")
    await computer.press("cancel")
    await computer.shows_message("Sign-in canceled")
    await computer.sign_in(await scenario.a_person(with_email=True))
    await screenshots.take(computer, "enrol-by-mail", "ONE MORE STEP")
    await computer.press("send-code")
    await expect(computer.part("code")).to_be_visible()
    await screenshots.take(computer, "enrol-by-mail-sent")
