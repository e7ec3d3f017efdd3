"""A sign-in that was reported with "It wasn't me": all others are out, and the owner comes back by a code."""

import pytest
from playwright.async_api import expect

from schemas.contract import Verdict
from tests.e2e.browser_page import Credentials
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEW_PASSWORD = "a lantern over seven quiet harbours"


async def test_it_wasn_t_me_signs_everybody_out_and_asks_for_another_password(scene: Scenario) -> None:
    owner, stranger = await scene.a_computer(), await scene.a_computer()
    phone = await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await owner.sign_in(person)
    await phone.approve(await owner.number())
    await owner.is_signed_in(person)
    await stranger.sign_in(person)
    await phone.answer(Verdict.REPORT)
    await stranger.is_told("Sign-in reported", "signed out all browsers")
    await owner.page.reload()
    await owner.reads("SIGN IN")

    await owner.enter(person.name, person.password)
    await owner.reads("NO REQUESTS TO THE PHONE")
    await expect(owner.part("send")).to_have_count(0)
    await owner.use_code(phone.code())
    await owner.reads("CHANGE THE PASSWORD")
    await expect(owner.page.get_by_role("alert")).to_contain_text("Someone else may know your password")
    await expect(owner.page.get_by_role("alert")).to_contain_text("127.0.0.1")
    await owner.page.get_by_role("link", name="Later").click()
    await owner.is_signed_in(person)
    await expect(owner.part("reported")).to_contain_text("Your phone gets no requests")

    await owner.press("change-password-now")
    await owner.change_password(person.password, NEW_PASSWORD)
    await owner.is_signed_in(person)
    await expect(owner.part("reported")).to_have_count(0)
    await owner.press("sign-out")
    await owner.enter(person.name, NEW_PASSWORD)
    await phone.approve(await owner.number())
    await owner.is_signed_in(Credentials(person.name, NEW_PASSWORD))


async def test_the_old_password_opens_nothing_after_a_report_and_a_change(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await phone.answer(Verdict.REPORT)
    await computer.is_told("Sign-in reported")
    await computer.sign_in(person)
    await computer.use_code(phone.code())
    await computer.change_password(person.password, NEW_PASSWORD)
    await computer.is_signed_in(person)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_told("That did not match")
