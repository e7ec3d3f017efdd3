"""Where the first pairing needs more than the password: a code that an administrator hands out."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.e2e.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")
A_DAY = timedelta(days=1)
TRIES = 5


async def test_an_administrator_s_code_admits_to_the_first_pairing(careful_scene: Scene) -> None:
    scene = careful_scene
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    code = await scene.accounts.invite(person.name, A_DAY)
    await computer.sign_in(person)
    await computer.reads("ONE MORE PROOF")
    for path in ("/connect", "/pair", "/send", "/code", "/account"):
        await computer.open(path)
        await computer.reads("ONE MORE PROOF")
    await computer.enter_code(f" {code.lower().replace('-', ' ')} ")
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    await expect(computer.page.get_by_text("Enrolment code issued by an administrator")).to_be_visible()


async def test_a_wrong_enrolment_code_says_so_and_five_pause(careful_scene: Scene) -> None:
    person, computer = await careful_scene.a_person(), await careful_scene.a_computer()
    await computer.sign_in(person)
    for _ in range(TRIES - 1):
        await computer.enter_code("AAAA-BBBB-CCCC-DDDD")
        await computer.is_told("That code did not match", "as your administrator gave it to you")
    await computer.enter_code("AAAA-BBBB-CCCC-DDDD")
    await computer.is_told("Codes are paused")
    await expect(computer.part("notice-text")).to_have_text(re.compile(r"the next one is taken in \d+ seconds?\."))
    await expect(computer.part("code")).to_be_disabled()
    await computer.page.reload()
    await computer.is_told("Codes are paused")


async def test_an_enrolment_code_admits_one_browser_only(careful_scene: Scene) -> None:
    person = await careful_scene.a_person()
    first, second = await careful_scene.a_computer(), await careful_scene.a_computer()
    code = await careful_scene.accounts.invite(person.name, A_DAY)
    for computer in (first, second):
        await computer.sign_in(person)
        await computer.enter_code(code)
    await first.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await second.is_told("That code did not match")


async def test_a_newer_code_takes_the_place_of_an_older_one(careful_scene: Scene) -> None:
    person, computer = await careful_scene.a_person(), await careful_scene.a_computer()
    old = await careful_scene.accounts.invite(person.name, A_DAY)
    new = await careful_scene.accounts.invite(person.name, A_DAY)
    await computer.sign_in(person)
    await computer.enter_code(old)
    await computer.is_told("That code did not match")
    await computer.enter_code(new)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")


async def test_after_a_reset_the_owner_enrols_anew(careful_scene: Scene) -> None:
    scene = careful_scene
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    await computer.sign_in(person)
    await computer.enter_code(await scene.accounts.invite(person.name, A_DAY))
    await computer.press("submit")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)

    await scene.accounts.reset(person.name)
    await phone.forgets(person)
    await computer.page.reload()
    await computer.reads("SIGN IN")
    await computer.enter(person.name, person.password)
    await computer.reads("ONE MORE PROOF")
    await computer.enter_code(await scene.accounts.invite(person.name, A_DAY))
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
