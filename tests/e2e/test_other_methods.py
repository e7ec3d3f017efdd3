"""Authenticator apps and recovery codes: made on the account's page, used where the phone is not at hand."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.e2e.other_methods import App, add_app, make_recovery_codes
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_picture_the_link_and_the_text_tell_an_app_the_same(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("add-app")
    await expect(computer.page.get_by_role("img", name="QR code for an authenticator app")).to_be_visible()
    await computer.page.get_by_text("Can't scan it?").click()
    uri = urlsplit(await computer.part("otpauth").get_attribute("href") or "")
    parameters = parse_qs(uri.query)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert person.name in uri.path
    assert parameters["issuer"] == ["Account Manager"]
    assert parameters["secret"] == [(await computer.part("secret").inner_text()).replace(" ", "")]


async def test_an_app_is_added_by_its_first_code_and_signs_in_with_the_next(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    app = await add_app(computer, "Spare app")
    await expect(computer.part("app-row")).to_contain_text("Spare app")
    await expect(computer.part("history-entry").first).to_contain_text("Added Spare app")
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(app.code(1))
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text("Signed in, with a code from Spare app")


async def test_an_app_whose_first_code_is_wrong_is_not_added_and_keeps_its_secret(scene: Scenario) -> None:
    _, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("add-app")
    await computer.page.get_by_text("Can't scan it?").click()
    secret = await computer.part("secret").text_content()
    app = App((secret or "").replace(" ", ""))
    await computer.part("app-name").fill("Spare app")
    await computer.enter_code(f"{(int(app.code()) + 1) % 10**6:06}")
    await computer.is_told("That code did not match", "enter the code that the app shows now")
    await expect(computer.part("secret")).to_have_text(secret or "")
    await expect(computer.part("app-name")).to_have_value("Spare app")
    await computer.enter_code(app.code())
    await computer.reads("YOUR ACCOUNT")
    await expect(computer.part("app-row")).to_contain_text("Spare app")


async def test_an_app_is_removed_and_its_codes_are_taken_no_more(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    app = await add_app(computer)
    row = computer.part("app-row")
    await row.get_by_test_id("change").click()
    await row.get_by_test_id("remove").click()
    await expect(computer.part("app-row")).to_have_count(0)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(app.code(1))
    await computer.is_told("That code did not match")


async def test_without_its_phone_an_account_with_an_app_is_asked_for_a_code(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    app = await add_app(computer)
    row = computer.part("device-row")
    await row.get_by_test_id("change").click()
    await row.get_by_test_id("remove").click()
    await expect(computer.part("device-row")).to_have_count(0)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.reads("ENTER A VERIFICATION CODE")
    await expect(computer.part("use-push")).to_have_count(0)
    await computer.enter_code(app.code(1))
    await computer.is_signed_in(person)


@pytest.mark.site("generous")
async def test_a_recovery_code_signs_in_once(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    codes = await make_recovery_codes(computer)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", code) for code in codes)
    await expect(computer.part("recovery-left")).to_contain_text("10 of 10 are left")

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(codes[3].lower().replace("-", " "))
    await computer.is_signed_in(person)
    await expect(computer.part("recovery-left")).to_contain_text("9 of 10 are left")
    await expect(computer.page.get_by_text("A recovery code was used")).to_be_visible()

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(codes[3])
    await computer.is_told("This code was already used", "Cross this one out")
    await computer.enter_code(codes[4])
    await computer.is_signed_in(person)


@pytest.mark.site("generous")
async def test_new_recovery_codes_take_the_place_of_the_old_ones(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    old, new = await make_recovery_codes(computer), await make_recovery_codes(computer)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.use_code(old[0])
    await computer.is_told("That code did not match", "Codes from an earlier list no longer work")
    await computer.enter_code(new[0])
    await computer.is_signed_in(person)


async def test_recovery_codes_are_shown_once_and_print_without_buttons(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("make-codes")
    await computer.reads("RECOVERY CODES")
    await expect(computer.page.get_by_role("button", name="Print")).to_be_visible()
    await computer.page.emulate_media(media="print")
    await expect(computer.part("recovery-codes")).to_be_visible()
    await expect(computer.page.get_by_text(person.name)).to_be_visible()
    for hidden in (computer.part("done"), computer.page.get_by_role("button", name="Print")):
        await expect(hidden).to_be_hidden()
    await computer.open("/account")
    await computer.is_signed_in(person)
    await expect(computer.part("recovery-codes")).to_have_count(0)
