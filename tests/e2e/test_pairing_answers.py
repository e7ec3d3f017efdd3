"""A pairing that the phone does not accept: what both sides are told, and how they go on."""

import pytest
from playwright.async_api import expect

from protocol.jose import PrivateKey
from schemas.contract import Purpose, Verdict
from tests.e2e.phone import issue_phrase
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_declined_pairing_is_told_on_both_sides_and_can_be_tried_again(scene: Scenario) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_phone()
    await computer.go_to_pairing(person)
    await computer.connect_device(await phone.new_phrase())
    await phone.answer("decline", "Pairing declined")
    await computer.is_told("Pairing declined", "If you tapped the wrong button, try again. Tap + New Account")
    await expect(phone.part("account-row")).to_have_count(0)

    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")


async def test_a_reported_pairing_is_told(scene: Scenario) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_pocket_phone()
    await computer.go_to_pairing(person)
    await computer.connect_device(await phone.new_phrase())
    await phone.answer(Verdict.REPORT, Purpose.PAIRING)
    await computer.is_told("Pairing reported", "Make sure that you enter the phrase from your own phone.")
    await computer.reads("PAIR A DEVICE")


async def test_a_phone_that_never_connected_is_said_to_be_out_of_reach(scene: Scenario) -> None:
    person, computer = await scene.a_person(), await scene.a_computer()
    phrase = (await issue_phrase(scene.stack.urls["pairing"], PrivateKey.generate())).phrase
    await computer.go_to_pairing(person)
    await computer.connect_device(phrase)
    await expect(computer.part("delivery")).to_contain_text(
        "We could not reach your phone. Open Salesforce Authenticator"
    )
    await computer.press("cancel")
    await computer.is_told("Sign-in canceled")
