"""A password that does not match: what the person is told, and how they go on."""

import re

import pytest
from playwright.async_api import expect

from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5


async def enter_wrong_passwords(computer: BrowserPage, person: Credentials) -> None:
    await computer.open("/sign-in")
    for _ in range(TRIES - 1):
        await computer.enter(person.name, "wrong")
        await computer.is_told("That did not match")
    await computer.enter(person.name, "wrong")
    await computer.is_told("Sign-in is paused")


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    told = []
    for name in (person.name, f"nobody-like-{person.name}"):
        await computer.sign_in(Credentials(name, "wrong"))
        await computer.is_told("That did not match", "Check both and try again.")
        await expect(computer.part("name")).to_have_value(name)
        await expect(computer.part("password")).to_have_value("")
        told.append((await computer.part("notice-text").inner_text(), await computer.page.title()))
    assert told[0] == told[1]

    await computer.enter(person.name, person.password)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")


async def test_a_paused_account_takes_not_even_the_right_password(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    await enter_wrong_passwords(computer, person)
    pause = re.compile(r"you can try again in \d+ seconds\. If you forgot the password, ask your administrator")
    await expect(computer.part("notice-text")).to_have_text(pause)
    await expect(computer.part("countdown")).to_have_text(re.compile(r"0:\d\d"))
    await computer.enter(person.name, person.password)
    await computer.is_told("Sign-in is paused")


@pytest.mark.site("hasty")
async def test_a_paused_account_takes_the_password_once_the_pause_is_over(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    await enter_wrong_passwords(computer, person)
    await expect(computer.page.get_by_text("You can try again now.")).to_be_visible()
    await computer.enter(person.name, person.password)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
