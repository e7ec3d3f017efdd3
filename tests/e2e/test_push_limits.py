"""What keeps a phone's owner from approving by mistake or by weariness: the number, and the pauses."""

import re

import pytest
from playwright.async_api import expect

from lab.testkit.phone import PocketPhone
from schemas.contract import Verdict
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


def another(number: int) -> int:
    """Return a number of two digits that is not the one that the computer shows."""
    return 10 + (number - 9) % 90


async def signs_in(computer: BrowserPage, person: Credentials, phone: PocketPhone) -> None:
    """Sign in by the phone's answer, and out again."""
    await computer.sign_in(person)
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    await computer.press("sign-out")
    await computer.reads("SIGN IN")


async def is_paused(computer: BrowserPage) -> None:
    """See that no request can be sent, and when one can be."""
    await computer.reads("REQUESTS ARE PAUSED")
    await expect(computer.part("countdown")).to_have_text(re.compile(r"^\d:\d\d$"))
    await expect(computer.part("send")).to_be_disabled()


async def test_a_wrong_number_ends_the_sign_in_and_both_sides_say_so(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await phone.part("number").fill(str(another(await computer.number())))
    await phone.press("approve")
    await computer.is_told("The number did not match", "enter the new number")
    await phone.reads("Approval sent")
    await expect(phone.part("result")).to_contain_text("If it was not, sign in to Account Manager again.")
    await phone.press("done")

    await computer.press("sign-in-again")
    await computer.enter(person.name, person.password)
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    wrong = f"Wrong number entered on {NAME}"
    await expect(computer.page.get_by_text(wrong)).to_be_visible()


async def test_after_three_requests_a_code_is_the_way_in(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    for _ in range(3):
        await signs_in(computer, person, phone)
    await computer.sign_in(person)
    await is_paused(computer)
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)


async def test_two_requests_that_were_declined_pause_the_next_until_the_owner_was_there(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    for _ in range(2):
        await computer.sign_in(person)
        await phone.answer(Verdict.DENY)
        await computer.is_told("Sign-in declined")
    await computer.sign_in(person)
    await is_paused(computer)
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)
    await computer.press("sign-out")
    await signs_in(computer, person, phone)


@pytest.mark.site("hasty")
async def test_a_pause_that_is_over_lets_the_request_be_sent_from_the_page_that_waited(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    for _ in range(2):
        await computer.sign_in(person)
        await phone.answer(Verdict.DENY)
        await computer.is_told("Sign-in declined")
    await computer.sign_in(person)
    await computer.reads("REQUESTS ARE PAUSED")
    await computer.reads("SEND THE REQUEST")
    await computer.press("send")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
