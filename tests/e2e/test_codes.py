"""Verification codes of a paired phone, in place of its answer: taken once, refused kindly, paused when guessed at."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.console_errors import OUTAGE
from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5


def another(code: str) -> str:
    """Return six digits that are not a code."""
    return f"{(int(code) + 1) % 10**6:06}"


async def test_a_code_completes_a_sign_in_and_takes_the_request_back_from_the_phone(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_phone()
    person = await scene.paired(phone)
    code = await phone.code()
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await computer.use_code(code)
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text(f"Signed in, with a code from {NAME}")
    await phone.reads("Request withdrawn")


async def test_a_code_works_while_the_phone_is_offline(scene: Scenario) -> None:
    scene.complaints.tolerate(OUTAGE)
    computer, phone = await scene.a_computer(), await scene.a_phone(keeps_app=True)
    person = await scene.paired(phone)
    await phone.page.context.set_offline(offline=True)
    await phone.page.reload()
    await expect(phone.part("connection")).to_have_text("Offline. Waiting for a network.")
    await computer.sign_in(person)
    await computer.use_code(await phone.code())
    await computer.is_signed_in(person)


async def test_a_code_can_be_entered_while_the_phone_is_asked_for_another_sign_in(scene: Scenario) -> None:
    computer, other, phone = await scene.a_computer(), await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await other.sign_in(person)
    await other.reads("CHECK YOUR PHONE")
    await computer.sign_in(person)
    await computer.reads("ONE REQUEST AT A TIME")
    async with computer.page.expect_response("**/events?at=/code"):
        await computer.press("use-code")
    await other.press("cancel")
    await other.is_told("Sign-in canceled")
    await computer.reads("ENTER A VERIFICATION CODE")
    await computer.enter_code(phone.code())
    await computer.is_signed_in(person)


async def test_a_wrong_code_says_so_and_the_right_one_goes_on(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await computer.use_code(another(phone.code()))
    await computer.is_told("That code did not match", "it changes every 30 seconds")
    await expect(computer.part("code")).to_have_value("")
    await computer.press("use-push")
    await computer.reads("CHECK YOUR PHONE")
    code = phone.code()
    await computer.use_code(f" {code[:3]} {code[3:]} ")
    await computer.is_signed_in(person)


async def test_a_code_that_was_used_is_refused_and_the_next_one_is_taken(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    code, next_code = phone.code(), phone.code(1)
    await computer.sign_in(person)
    await computer.use_code(code)
    await computer.is_signed_in(person)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(code)
    await computer.is_told("This code was already used", "Wait for the next one")
    await computer.enter_code(next_code)
    await computer.is_signed_in(person)


@pytest.mark.site("hasty")
async def test_five_wrong_codes_pause_codes_and_the_page_says_when_they_go_on(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await computer.press("use-code")
    for _ in range(TRIES - 1):
        await computer.enter_code(another(phone.code()))
        await computer.is_told("That code did not match")
    await computer.enter_code(another(phone.code()))
    await computer.is_told("Codes are paused")
    await expect(computer.part("notice-text")).to_have_text(re.compile(r"you can try again in \d seconds?\."))
    await expect(computer.part("code")).to_be_disabled()
    await expect(computer.part("code")).to_be_enabled()
    await computer.enter_code(phone.code())
    await computer.is_signed_in(person)
    await expect(computer.page.get_by_text("Codes paused after several wrong ones")).to_be_visible()
