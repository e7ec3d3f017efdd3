"""A phrase that pairs no phone: what the person is told, and how they go on."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import expect

from lab.testkit.phone import PocketPhone
from protocol.phrases import draw_phrase
from tests.e2e.browser_page import BrowserPage
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
TRIES = 5
PhraseMaker = Callable[[Scenario, PocketPhone], Awaitable[str]]


async def unknown(_scene: Scenario, _phone: PocketPhone) -> str:
    return draw_phrase()


async def used(scene: Scenario, phone: PocketPhone) -> str:
    phrase = await phone.new_phrase()
    await scene.pair(await scene.a_person(), phone, phrase)
    return phrase


async def replaced(_scene: Scenario, phone: PocketPhone) -> str:
    phrase = await phone.new_phrase()
    await phone.new_phrase()
    return phrase


async def pairs(computer: BrowserPage, phone: PocketPhone) -> None:
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")


@pytest.mark.parametrize(
    ("make", "title", "text"),
    [
        (unknown, "No phone shows this phrase", "Compare both words with your phone"),
        (used, "This phrase was already used", "Each phrase works once. Tap + New Account"),
        (replaced, "This phrase has expired", "Tap + New Account in Salesforce Authenticator for a new phrase"),
    ],
)
async def test_a_phrase_that_no_phone_answers_to_says_why_and_a_new_one_pairs(
    scene: Scenario, make: PhraseMaker, title: str, text: str
) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    phrase = await make(scene, phone)
    await computer.go_to_pairing(person)
    await computer.connect_device(phrase)
    await computer.is_told(title, text)
    await computer.reads("PAIR A DEVICE")
    await pairs(computer, phone)


@pytest.mark.parametrize(
    ("typed", "title", "text"),
    [
        ("crimson oter", "Check the spelling", "“oter” is not a word of any phrase."),
        ("crimsn oter", "Check the spelling", "“crimsn” and “oter” are not words of any phrase."),
        ("crimson", "A phrase has two words", "You entered one word."),
        ("crimson otter crimson", "A phrase has two words", "You entered 3 words."),
    ],
)
async def test_a_mistyped_phrase_stays_in_its_field_and_says_what_is_wrong(
    scene: Scenario, typed: str, title: str, text: str
) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    await computer.go_to_pairing(person)
    await computer.connect_device(typed)
    await computer.is_told(title, text)
    await expect(computer.part("phrase")).to_have_value(typed)
    await pairs(computer, phone)


@pytest.mark.site("hasty")
async def test_five_phrases_in_a_row_pause_pairing_and_the_page_says_when_it_goes_on(scene: Scenario) -> None:
    person, phone = await scene.a_person(), await scene.a_pocket_phone()
    computer = await scene.a_computer()
    await computer.go_to_pairing(person)
    for _ in range(TRIES - 1):
        await computer.connect_device(draw_phrase())
        await computer.is_told("No phone shows this phrase")
    await computer.connect_device(draw_phrase())
    await computer.is_told("Pairing is paused")
    await expect(computer.part("notice-text")).to_have_text(re.compile(r"you can try again in \d seconds?\."))
    await expect(computer.part("connect-device")).to_be_disabled()
    await expect(computer.part("connect-device")).to_be_enabled()
    await pairs(computer, phone)
