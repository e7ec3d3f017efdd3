"""Authentication requests that are not approved, and several at once: what both sides are told, and how they go on."""

from itertools import product

import pytest
from playwright.async_api import expect

from lab.testkit.phone import PocketPhone
from schemas.contract import Verdict
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.phone import NAME
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def signs_in_again(computer: BrowserPage, person: Credentials, phone: PocketPhone) -> None:
    await computer.press("sign-in-again")
    await computer.reads("SIGN IN")
    await computer.enter(person.name, person.password)
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)


async def test_a_declined_sign_in_ends_and_can_be_started_again(scene: Scenario) -> None:
    computer, phone = await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await phone.answer(Verdict.DENY)
    await computer.is_told("Sign-in declined", "If you tapped the wrong button, sign in again")
    await signs_in_again(computer, person, phone)
    await expect(computer.page.get_by_text(f"Sign-in declined on {NAME}")).to_be_visible()


async def test_it_wasn_t_me_ends_every_waiting_sign_in_of_the_account(scene: Scenario) -> None:
    first, second, phone = await scene.a_computer(), await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await first.sign_in(person)
    await first.reads("CHECK YOUR PHONE")
    await second.sign_in(person)
    await second.reads("ONE REQUEST AT A TIME")
    await phone.answer(Verdict.REPORT)
    await first.is_told("Sign-in reported", "we ended all its sign-ins")
    await second.is_told("Sign-in stopped", "we ended this one too")


async def test_of_two_sign_ins_at_once_the_second_is_sent_after_the_first(scene: Scenario) -> None:
    first, second, phone = await scene.a_computer(), await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await first.sign_in(person)
    await first.reads("CHECK YOUR PHONE")
    await second.sign_in(person)
    await second.reads("ONE REQUEST AT A TIME")
    await expect(second.part("send")).to_be_disabled()

    await phone.approve(await first.number())
    await first.is_signed_in(person)
    await second.reads("SEND THE REQUEST")
    await second.open("/account")
    await second.reads("SEND THE REQUEST")

    await second.press("send")
    await phone.approve(await second.number())
    await second.is_signed_in(person)


async def test_an_approval_signs_in_the_browser_that_asked_and_no_other(scene: Scenario) -> None:
    computer, stranger, phone = await scene.a_computer(), await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    await stranger.open("/wait")
    await stranger.reads("SIGN IN")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    for path in ("/account", "/complete", "/"):
        await stranger.open(path)
        await stranger.reads("SIGN IN")


async def test_what_kafka_knows_of_a_sign_in_opens_it_in_no_other_browser(scene: Scenario) -> None:
    computer, thief, phone = await scene.a_computer(), await scene.a_computer(), await scene.a_pocket_phone()
    person = await scene.paired(phone)
    await computer.sign_in(person)
    number = await computer.number()
    account = scene.accounts.view.get(person.name)
    assert account is not None
    login = account.logins[-1]
    known = (login.login_id, login.login_digest, login.session_digest)

    async def nothing_opens() -> None:
        for name, value in product(("countersign_login", "countersign_session"), known):
            await thief.page.context.add_cookies([{"name": name, "value": f"{person.name}.{value}", "url": thief.url}])
            for path in ("/", "/complete", "/account"):
                await thief.open(path)
                await thief.reads("SIGN IN")

    await nothing_opens()
    await phone.approve(number)
    await computer.is_signed_in(person)
    await nothing_opens()
