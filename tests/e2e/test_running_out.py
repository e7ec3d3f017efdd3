"""Challenges without an answer: both sides show the end of their time, and can begin again.

All acts wait for that time, so they are played at once; each has a test that waits for its end.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario
from tests.e2e.stacks import Site, played

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.site("strict")]
Act = Callable[[Scenario], Awaitable[None]]


async def pairing_on_the_screen(scenario: Scenario) -> None:
    """Leave a pairing unanswered, and pair with the next phrase."""
    person, computer, phone = await scenario.a_person(), await scenario.a_computer(), await scenario.a_phone()
    await scenario.go_to_pairing(person, computer)
    await computer.connect_device(await phone.new_phrase())
    await phone.reads("Connect this account?")
    await computer.shows_message("The phone did not answer in time", "accept the notification on the phone")
    await phone.reads("Too late")
    await phone.press("done")

    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")


async def pairing_of_a_phone_that_is_gone(scenario: Scenario) -> None:
    """Enter the phrase of a phone that was closed."""
    person, computer, phone = await scenario.a_person(), await scenario.a_computer(), await scenario.a_phone()
    phrase = await phone.new_phrase()
    await phone.page.context.close()
    await scenario.go_to_pairing(person, computer)
    await computer.connect_device(phrase)
    await computer.reads("ACCEPT ON YOUR PHONE")
    await expect(computer.part("delivery")).to_have_text("On its way to your phone.")
    await expect(computer.page.get_by_text("A notification was pushed to your phone.")).to_be_visible()
    await computer.shows_message("The phone did not answer in time", "Tap + New Account")
    await expect(computer.part("phrase")).to_be_enabled()


async def sign_in_on_the_screen(scenario: Scenario) -> None:
    """Leave an authentication request unanswered, and approve the next one."""
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await computer.sign_in(person)
    await phone.reads("Approve this sign-in?")
    await computer.shows_message("No answer from the phone", "Open Salesforce Authenticator on your phone")
    await phone.reads("Too late")
    await computer.press("sign-in-again")
    await computer.enter(person.name, person.password)
    await computer.complete_sign_in(person, phone)
    await expect(computer.page.get_by_text(f"Sign-in not answered on {NAME}")).to_be_visible()


async def sign_in_with_a_phone_that_is_gone(scenario: Scenario) -> None:
    """Sign in with a phone that was closed, and again once it is open."""
    computer, phone = await scenario.a_computer(), await scenario.a_phone()
    person = await scenario.paired(phone)
    await phone.page.goto("about:blank")
    await computer.sign_in(person)
    await computer.reads("CHECK YOUR PHONE")
    await expect(computer.part("delivery")).to_have_text("On its way to your phone.")
    await computer.shows_message("No answer from the phone")
    await computer.press("sign-in-again")
    await computer.enter(person.name, person.password)
    await phone.page.goto(phone.url)
    await computer.complete_sign_in(person, phone)


ACTS: Final[tuple[Act, ...]] = (
    pairing_on_the_screen,
    pairing_of_a_phone_that_is_gone,
    sign_in_on_the_screen,
    sign_in_with_a_phone_that_is_gone,
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def acts(site: Site, browser: Browser) -> AsyncIterator[dict[Act, asyncio.Task[None]]]:
    """Begin all acts, each on a scenario of its own."""

    async def play(act: Act) -> None:
        async with played(site, browser) as scenario:
            await act(scenario)

    tasks = {act: asyncio.create_task(play(act)) for act in ACTS}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("act", ACTS)
async def test_a_challenge_without_an_answer_expires_and_can_be_begun_again(
    acts: dict[Act, asyncio.Task[None]], act: Act
) -> None:
    await acts[act]
