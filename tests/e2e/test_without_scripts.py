"""Account Manager without JavaScript: the pages that wait look for themselves."""

import pytest
from playwright.async_api import expect

from schemas.contract import Verdict
from tests.e2e.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_whole_flow_works_without_scripts(scene: Scene) -> None:
    person, phone = await scene.a_person(), await scene.a_pocket_phone()
    computer = await scene.a_computer(java_script_enabled=False)
    await computer.go_to_pairing(person)
    await computer.connect_device("crimson oter")
    await computer.is_told("Check the spelling")
    await computer.connect_device(await phone.new_phrase())
    await computer.reads("ACCEPT ON YOUR PHONE")
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.reads("CHECK YOUR PHONE")
    await expect(computer.part("delivery")).to_have_attribute("data-delivery", "delivered")
    await phone.answer(Verdict.DENY)
    await computer.is_told("Sign-in declined")


async def test_a_second_sign_in_without_scripts_sees_when_its_request_can_be_sent(scene: Scene) -> None:
    phone, first = await scene.a_pocket_phone(), await scene.a_computer()
    person = await scene.paired(phone)
    second = await scene.a_computer(java_script_enabled=False)
    await first.sign_in(person)
    await first.reads("CHECK YOUR PHONE")
    await second.sign_in(person)
    await second.reads("ONE REQUEST AT A TIME")
    await phone.approve(await first.number())
    await second.reads("SEND THE REQUEST")
    await second.press("send")
    await phone.approve(await second.number())
    await second.is_signed_in(person)
