"""A picture of each page at desktop and phone size, kept as artefacts; the README shows some of them."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from tests.e2e.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")
FOLDER: Final = Path(".run/test-artefacts/screenshots")
SIZES: Final = {"desktop": (1280, 800), "phone": (390, 844)}
PHONE_SIZE: Final = {"phone": SIZES["phone"]}


async def picture(page: Page, name: str, sizes: dict[str, tuple[int, int]] = SIZES) -> None:
    """Keep a picture of a page in each size; a page that has to be scrolled sideways fails."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    for size, (width, height) in sizes.items():
        await page.set_viewport_size({"width": width, "height": height})
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name}, {size}"
        await page.screenshot(path=FOLDER / f"{name}.{size}.png", full_page=True)
    assert before is not None
    await page.set_viewport_size(before)


async def test_each_page_has_its_picture(scene: Scene) -> None:
    person, computer, phone = await scene.a_person(), await scene.a_computer(), await scene.a_phone()
    await computer.open("/nowhere")
    await picture(computer.page, "error")
    await computer.open()
    await picture(computer.page, "sign_in")
    await picture(phone.page, "phone_home_empty", PHONE_SIZE)
    await computer.enter(person.name, person.password)
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await picture(computer.page, "connect")
    await computer.page.get_by_role("link", name="Continue").click()
    await computer.reads("PAIR A DEVICE")
    phrase = await phone.new_phrase()
    await picture(phone.page, "phone_phrase", PHONE_SIZE)
    await computer.page.get_by_label("Pairing phrase").fill(phrase)
    await picture(computer.page, "pair")
    await computer.connect_device(phrase)
    await phone.reads("Connect this account?")
    await picture(computer.page, "pair_wait")
    await picture(phone.page, "phone_pairing", PHONE_SIZE)
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await picture(computer.page, "paired")
    await computer.press("ok")
    await phone.press("done")
    await phone.reads("Approve this sign-in?")
    await computer.reads("CHECK YOUR PHONE")
    await picture(computer.page, "wait")
    await picture(phone.page, "phone_request", PHONE_SIZE)
    other = await scene.a_computer()
    await other.sign_in(person)
    await picture(other.page, "send")
    await other.press("cancel")
    await picture(other.page, "ended")
    await phone.answer("approve", "Sign-in approved")
    await picture(phone.page, "phone_approved", PHONE_SIZE)
    await computer.is_signed_in(person)
    await picture(computer.page, "account")
    await phone.press("done")
    await picture(phone.page, "phone_home", PHONE_SIZE)
    await phone.page.get_by_text("History").first.click()
    await phone.reads("History")
    await picture(phone.page, "phone_history", PHONE_SIZE)
