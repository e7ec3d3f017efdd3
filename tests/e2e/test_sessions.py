"""Who stays signed in, and where: sessions that are revoked, browsers that are remembered, changes that need more."""

import pytest
from playwright.async_api import expect

from schemas.contract import Verdict
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.phone import NAME, Phone
from tests.e2e.scenario import Scenario

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEW_PASSWORD = "a lantern over seven quiet harbours"


async def remembered(scene: Scenario, phone: Phone) -> tuple[Credentials, BrowserPage]:
    """Sign in in a browser that is to be remembered."""
    person, computer = await scene.paired(phone), await scene.a_computer()
    await computer.open("/sign-in")
    await computer.part("remember").check()
    await computer.enter(person.name, person.password)
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    return person, computer


async def test_another_browser_is_signed_out_from_here(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, other = await scene.signed_in(phone)
    computer = await scene.a_computer()
    await computer.sign_in(person)
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)
    await expect(computer.part("session-row")).to_have_count(2)
    await expect(computer.part("session-row").first).to_contain_text("this browser")
    await computer.press("revoke")
    await expect(computer.part("session-row")).to_have_count(1)
    await expect(computer.part("history-entry").first).to_contain_text("Signed out from another browser")
    await other.page.reload()
    await other.reads("SIGN IN")


@pytest.mark.site("generous")
async def test_a_remembered_browser_signs_in_by_the_password_alone_until_it_is_forgotten(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await remembered(scene, phone)
    await expect(computer.part("remembered-row")).to_have_count(1)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text("Signed in, in a remembered browser")

    await computer.press("forget")
    await expect(computer.part("remembered-row")).to_have_count(0)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.reads("CHECK YOUR PHONE")


@pytest.mark.site("generous")
async def test_a_browser_that_was_not_asked_to_be_remembered_is_not(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, _ = await remembered(scene, phone)
    other = await scene.a_computer()
    await other.sign_in(person)
    await phone.approve(await other.number())
    await other.is_signed_in(person)
    await other.press("sign-out")
    await other.enter(person.name, person.password)
    await other.reads("CHECK YOUR PHONE")


async def test_browsers_are_not_remembered_unless_the_operator_wants_that(scene: Scenario) -> None:
    computer = await scene.a_computer()
    await computer.open("/sign-in")
    await expect(computer.part("name")).to_be_visible()
    await expect(computer.part("remember")).to_have_count(0)


@pytest.mark.site("generous")
async def test_changes_need_the_second_factor_first(scene: Scenario) -> None:
    phone = await scene.a_phone()
    person, computer = await remembered(scene, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_signed_in(person)
    for change in ("change", "add-phone", "add-app", "make-codes"):
        await expect(computer.part(change)).to_have_count(0)
    await computer.open("/account/app")
    await computer.is_at("/account")

    await computer.press("confirm")
    await phone.reads("Confirm this change?")
    await phone.approve(await computer.number())
    await computer.is_signed_in(person)
    await expect(computer.part("history-entry").first).to_contain_text("Confirmed before a change, approved on")
    await computer.press("make-codes")
    await computer.reads("RECOVERY CODES")


@pytest.mark.site("generous")
async def test_a_form_that_skips_the_second_factor_changes_nothing(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await remembered(scene, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.is_signed_in(person)
    account = scene.accounts.view.get(person.name)
    assert account is not None
    csrf = await computer.page.locator("input[name=csrf]").first.input_value()
    form: dict[str, str | float | bool] = {
        "csrf": csrf,
        "method_id": account.devices[0].method_id,
        "name": "Mine",
        "old": person.password,
        "new": NEW_PASSWORD,
    }
    for path in ("phones", "methods/rename", "methods/choose", "methods/remove", "recovery-codes", "password"):
        await computer.page.context.request.post(f"{computer.url}/account/{path}", form=form)
        await computer.open("/")
        await computer.is_signed_in(person)
        await expect(computer.part("history-entry").first).to_contain_text("Signed in, in a remembered browser")
        await expect(computer.part("device-name")).to_have_text(NAME)


@pytest.mark.site("generous")
async def test_a_confirmation_that_is_declined_changes_nothing_and_keeps_the_session(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await remembered(scene, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.press("change-password")
    await computer.press("confirm")
    await computer.reads("CHECK YOUR PHONE")
    await phone.answer(Verdict.DENY)
    await computer.is_told("Declined on the phone", "Nothing was confirmed")
    await computer.press("back")
    await computer.is_signed_in(person)
    await expect(computer.part("confirm")).to_be_visible()


@pytest.mark.site("generous")
async def test_a_confirmation_that_the_password_s_page_asked_for_leads_back_there(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await remembered(scene, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.press("change-password")
    await computer.press("confirm")
    await phone.approve(await computer.number())
    await computer.reads("CHANGE THE PASSWORD")
    await computer.change_password(person.password, NEW_PASSWORD)
    await computer.is_signed_in(person)


@pytest.mark.site("generous")
async def test_a_code_confirms_as_well(scene: Scenario) -> None:
    phone = await scene.a_pocket_phone()
    person, computer = await remembered(scene, phone)
    await computer.press("sign-out")
    await computer.enter(person.name, person.password)
    await computer.press("confirm")
    await computer.use_code(phone.code())
    await computer.is_signed_in(person)
    await expect(computer.part("add-app")).to_be_visible()
