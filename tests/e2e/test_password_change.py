"""Another password: what will not do, and what a change does to other browsers."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.browser_page import Credentials
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEW_PASSWORD = "a lantern over seven quiet harbours"
TRIES = 5


async def test_the_new_password_signs_in_and_other_browsers_are_out(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, other = await scene.signed_in(phone)
    computer = await scene.a_computer()
    await computer.sign_in(person)
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)
    await computer.press("change-password")
    await computer.reads("CHANGE THE PASSWORD")
    await computer.change_password(person.password, NEW_PASSWORD)
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text("Password changed, other browsers signed out")
    await other.page.reload()
    await other.reads("SIGN IN")
    await other.enter(person.name, person.password)
    await other.is_told("That did not match")
    await other.enter(person.name, NEW_PASSWORD)
    await phone.approve(await other.number())
    await other.is_signed_in(Credentials(person.name, NEW_PASSWORD))


async def test_each_password_that_will_not_do_says_why(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("change-password")
    await computer.page.locator("#new").evaluate("field => field.removeAttribute('minlength')")
    refused = {
        "short": "at least 12 characters",
        f"{person.name} {person.name}": "must not contain your name",
        "Account Manager 2026!": "must not contain your name or the product's name",
        "password1234": "among the first that an attacker would try",
        "aaaaaaaaaaaaaaaaaaaa": "Choose another one.",
        person.password: "This is your current password.",
    }
    for password, text in refused.items():
        await computer.page.locator("#new").evaluate("field => field.removeAttribute('minlength')")
        await computer.change_password(person.password, password)
        await computer.is_told("Choose another password", text)
    await computer.change_password(person.password, NEW_PASSWORD)
    await computer.is_signed_in(person)


async def test_wrong_old_passwords_are_counted_as_at_a_sign_in(scene: Scenario) -> None:
    _, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("change-password")
    for _ in range(TRIES - 1):
        await computer.change_password("not the password", NEW_PASSWORD)
        await computer.is_told("The current password did not match", "Enter the password that you signed in with.")
    await computer.change_password("not the password", NEW_PASSWORD)
    await computer.is_told("Sign-in is paused")
    await expect(computer.part("notice-text")).to_have_text(re.compile(r"you can try again in \d+ seconds?\."))
