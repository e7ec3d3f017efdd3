"""Verification codes of a phone in place of its answer, and the limits of what a phone is asked."""

import re

import aiohttp

from schemas.contract import ChallengeEnded, Verdict
from tests.integration.services.login.people import PHONE, Person, expect_message, last_entry, message
from tests.integration.services.wire import Wire

TRIES = 5


def wrong(code: str) -> str:
    """Return six digits that are not a code."""
    return f"{(int(code) + 1) % 10**6:06}"


def is_paused(person: Person) -> None:
    """Check that no challenge can be sent, and that the page shows when one can be."""
    person.browser.expect("REQUESTS ARE PAUSED")
    countdown = person.browser.part("countdown")
    assert re.fullmatch(r"\d+:\d\d", countdown.text)
    assert countdown.attributes["data-at-end"] == "/send"
    assert "disabled" in person.browser.part("send").attributes


async def test_a_code_signs_in_and_takes_the_challenge_back_from_the_phone(person: Person, wire: Wire) -> None:
    await person.pair_only()
    await person.enter_password()
    issued = await person.phone.asked()
    await person.browser.press("use-code")
    await person.browser.press("submit", code=person.phone.code())
    person.is_signed_in()
    assert last_entry(person).startswith(f"Signed in, with a code from {PHONE}")
    await wire.next(ChallengeEnded, lambda each: each.challenge_id == issued.challenge_id)


async def test_the_code_page_stays_open_when_another_sign_in_ends(person: Person) -> None:
    await person.pair_only()
    async with person.in_another_browser() as other:
        await other.enter_password()
        other.browser.expect("CHECK YOUR PHONE")
        await person.enter_password()
        person.browser.expect("ONE REQUEST AT A TIME")
        await person.browser.press("use-code")
        async with (
            aiohttp.ClientSession(cookies=person.browser.cookies) as window,
            window.get(f"{person.browser.url}{person.browser.events}") as events,
        ):
            await other.browser.press("cancel")
            await person.browser.open("/code")
            person.browser.expect("ENTER A VERIFICATION CODE")
            await person.browser.press("submit", code=person.phone.code())
            person.is_signed_in()
            assert await events.content.readuntil(b"\r\n\r\n") == b'event: go\r\ndata: {"to": "/complete"}\r\n\r\n'


async def test_a_wrong_code_says_so_and_the_right_one_goes_on(person: Person) -> None:
    await person.pair_only()
    await person.enter_password()
    await person.enter_code(wrong(person.phone.code()))
    expect_message(person, "That code did not match", "it changes every 30 seconds")
    assert "value" not in person.browser.part("code").attributes
    await person.browser.press("use-push")
    person.browser.expect("CHECK YOUR PHONE")
    code = person.phone.code()
    await person.enter_code(f" {code[:3]} {code[3:]} ")
    person.is_signed_in()


async def test_a_code_that_was_used_is_refused_and_the_next_one_is_taken(person: Person) -> None:
    await person.pair_only()
    await person.enter_password()
    code, next_code = person.phone.code(), person.phone.code(steps_later=1)
    await person.enter_code(code)
    person.is_signed_in()
    await person.sign_out()
    await person.enter_password()
    await person.enter_code(code)
    expect_message(person, "This code was already used", "Wait for the next one")
    await person.enter_code(next_code)
    person.is_signed_in()


async def test_five_wrong_codes_pause_codes_and_the_page_shows_until_when(person: Person) -> None:
    await person.pair_only()
    await person.enter_password()
    for _ in range(TRIES - 1):
        await person.enter_code(wrong(person.phone.code()))
        expect_message(person, "That code did not match")
    await person.enter_code(wrong(person.phone.code()))
    title, text = message(person)
    assert title == "Codes are paused"
    assert re.search(r"you can try again in \d+ seconds?\.", text)
    assert person.browser.part("countdown").attributes["data-at-end"] == "/code"
    for part in ("code", "submit"):
        assert "disabled" in person.browser.part(part).attributes
    await person.approve()
    assert "Codes paused after several wrong ones" in person.browser.text


async def test_after_three_challenges_a_code_is_the_way_in(person: Person) -> None:
    await person.pair_only()
    for _ in range(3):
        await person.enter_password()
        await person.approve()
        await person.sign_out()
    await person.enter_password()
    is_paused(person)
    await person.browser.press("use-code")
    await person.browser.press("submit", code=person.phone.code())
    person.is_signed_in()


async def test_two_denials_pause_the_next_challenge_until_a_code_was_right(person: Person) -> None:
    await person.pair_only()
    for _ in range(2):
        await person.enter_password()
        await person.answer(Verdict.DENY)
        expect_message(person, "Sign-in declined")
    await person.enter_password()
    is_paused(person)
    await person.enter_code(person.phone.code())
    person.is_signed_in()
    await person.sign_out()
    await person.enter_password()
    await person.approve()
