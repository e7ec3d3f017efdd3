"""Several phones of one account: added, chosen, renamed and removed by whoever has just given the second factor."""

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.browser_page import BrowserPage
from tests.e2e.phone import NAME, Phone
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
OTHER = "Old tablet"


async def add_phone(computer: BrowserPage, phone: Phone) -> None:
    """Pair a further phone, from the account's page."""
    await computer.press("add-phone")
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await computer.press("submit")
    await computer.reads("PAIR A DEVICE")
    await computer.connect_device(await phone.new_phrase())
    await phone.accept_pairing()
    await computer.reads("DEVICE PAIRING SUCCESSFUL")
    await computer.press("ok")
    await computer.reads("YOUR ACCOUNT")


def row_of(computer: BrowserPage, name: str) -> Locator:
    """Return the account page's row of a phone."""
    return computer.part("device-row").filter(has=computer.page.get_by_text(name, exact=True))


@pytest.mark.site("generous")
async def test_a_second_phone_is_added_and_asked_once_it_is_chosen(scene: Scenario) -> None:
    first, second = await scene.a_pocket_phone(), await scene.a_pocket_phone(name=OTHER)
    person, computer = await scene.signed_in(first)
    await add_phone(computer, second)
    await expect(computer.part("device-row")).to_have_count(2)
    await expect(row_of(computer, NAME)).to_contain_text("asked first")
    await row_of(computer, OTHER).get_by_test_id("choose").click()
    await expect(row_of(computer, OTHER)).to_contain_text("asked first")
    await expect(computer.part("history-entry").first).to_contain_text(f"{OTHER} is now asked first")

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await expect(computer.part("device-name")).to_have_text(OTHER)
    await second.approve(await computer.number())
    await computer.is_signed_in(person)


@pytest.mark.site("generous")
async def test_a_request_can_be_sent_to_either_phone(scene: Scenario) -> None:
    first, second = await scene.a_pocket_phone(), await scene.a_pocket_phone(name=OTHER)
    person, computer = await scene.signed_in(first)
    await add_phone(computer, second)
    other = await scene.a_computer()
    await other.sign_in(person)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.reads("ONE REQUEST AT A TIME")
    await other.press("cancel")
    await computer.reads("SEND THE REQUEST")
    await computer.page.get_by_label(OTHER).check()
    await computer.press("send")
    await expect(computer.part("device-name")).to_have_text(OTHER)
    await second.approve(await computer.number())
    await computer.is_signed_in(person)


async def test_a_pairing_that_was_begun_from_the_account_can_be_canceled(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await scene.signed_in(phone)
    await computer.press("add-phone")
    await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
    await computer.page.get_by_role("button", name="Cancel", exact=True).click()
    await computer.is_signed_in(person)


async def test_a_phone_is_renamed(scene: Scenario) -> None:
    _, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("change")
    await computer.part("new-name").fill("  Work phone ")
    await computer.press("rename")
    await expect(computer.part("device-name")).to_have_text("Work phone")
    await expect(computer.part("history-entry").first).to_contain_text("Renamed to Work phone")
    await expect(computer.part("history-entry").first).to_contain_text("Firefox on Linux, 127.0.0.1")
    await computer.press("change")
    await computer.part("new-name").fill("   ")
    await computer.press("rename")
    await computer.is_told("A name is needed")
    await expect(computer.part("device-name")).to_have_text("Work phone")


async def test_the_last_phone_stays(scene: Scenario) -> None:
    person, computer = await scene.signed_in(await scene.a_pocket_phone())
    await computer.press("change")
    await computer.press("remove")
    await computer.is_told("This is your last method", "Add another phone or app first")
    await computer.open("/account")
    await computer.is_signed_in(person)
    await expect(computer.part("device-row")).to_have_count(1)


async def test_a_phone_that_is_removed_is_told_and_is_asked_no_more(scene: Scenario) -> None:
    first, second = await scene.a_pocket_phone(), await scene.a_pocket_phone(name=OTHER)
    person, computer = await scene.signed_in(first)
    await add_phone(computer, second)
    await row_of(computer, NAME).get_by_test_id("change").click()
    await row_of(computer, NAME).get_by_test_id("remove").click()
    await expect(computer.part("device-row")).to_have_count(1)
    await expect(computer.part("history-entry").first).to_contain_text(f"Removed {NAME}")
    await first.forgets(person.name)

    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await expect(computer.part("device-name")).to_have_text(OTHER)
    await second.approve(await computer.number())
    await computer.is_signed_in(person)


async def test_the_phone_s_app_shows_that_it_was_removed(scene: Scenario) -> None:
    phone = await scene.a_phone()
    person, computer = await scene.signed_in(phone)
    await add_phone(computer, await scene.a_pocket_phone(name=OTHER))
    await row_of(computer, NAME).get_by_test_id("change").click()
    await row_of(computer, NAME).get_by_test_id("remove").click()
    await expect(computer.part("device-row")).to_have_count(1)
    await expect(phone.part("account-row")).to_have_count(0)
    await phone.press("tab-history")
    await expect(phone.part("history-row").first).to_contain_text("Disconnected")
    await expect(phone.part("history-row").first).to_contain_text(person.name)


async def test_a_lost_phone_is_replaced_with_a_code_of_the_old_one(scene: Scenario) -> None:
    lost, new = await scene.a_pocket_phone(), await scene.a_pocket_phone(name=OTHER)
    person, computer = await scene.paired(lost), await scene.a_computer()
    await computer.sign_in(person)
    await computer.use_code(lost.code())
    await computer.is_signed_in(person)
    await add_phone(computer, new)
    await row_of(computer, NAME).get_by_test_id("change").click()
    await row_of(computer, NAME).get_by_test_id("remove").click()
    await expect(computer.part("device-row")).to_have_count(1)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await new.approve(await computer.number())
    await computer.is_signed_in(person)
