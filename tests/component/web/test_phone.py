"""The phone: first start, settings, storage and unsupported browsers."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.chromium import INSECURE_HOST
from tests.component.web.stage import Stage, a_phone, press

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_new_phone_explains_itself_and_asks_for_a_name_once(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    await expect(page.get_by_role("heading", name="No accounts yet")).to_be_visible()
    await expect(page).to_have_title("Salesforce Authenticator")
    await page.reload()
    await expect(page.get_by_test_id("new-account")).to_be_visible()
    await press(page, "tab-settings")
    await expect(page.get_by_test_id("device-name")).to_have_value("Pixel 9")
    await expect(page.get_by_test_id("device-id")).to_have_text(services.device_id)


async def test_a_new_name_reaches_the_service_and_other_tabs(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    other = await context.new_page()
    await other.goto("/#/settings")
    await press(page, "tab-settings")
    await page.get_by_test_id("device-name").fill("Ann's phone")
    await press(page, "save-name")
    await expect(page.get_by_test_id("notice")).to_have_text("The name was saved.")
    await press(other, "tab-accounts")
    await press(other, "new-account")
    await expect(other.get_by_test_id("phrase")).to_be_visible()
    assert services.requests[-1].payload == {"device_name": "Ann's phone"}


async def test_an_account_is_removed_after_a_warning(page: Page) -> None:
    for button in ("keep", "confirm-remove"):
        await press(page, "tab-settings")
        await press(page, "remove-account")
        await expect(page.get_by_text("The account does not change")).to_be_visible()
        await expect(page.get_by_role("heading", name="Remove this account?")).to_be_focused()
        await press(page, button)
        await expect(page.get_by_test_id("new-account")).to_be_visible()
    await expect(page.get_by_test_id("account-row")).to_have_count(0)
    await expect(page.get_by_test_id("notice")).to_contain_text("was removed")


async def test_the_private_key_cannot_be_read_out(context: BrowserContext) -> None:
    page = await a_phone(context)
    code = """async () => {
      const { openStore } = await import("/store.js");
      const { privateKey } = await (await openStore()).get("device", "key");
      const exported = await crypto.subtle.exportKey("jwk", privateKey).catch((error) => error.name);
      return [privateKey.extractable, exported];
    }"""
    assert await page.evaluate(code) == [False, "InvalidAccessError"]


async def test_the_history_is_bounded(context: BrowserContext) -> None:
    page = await a_phone(context)
    code = """async () => {
      const { openStore } = await import("/store.js");
      const store = await openStore();
      const entry = { purpose: "login", service: "", account_name: "", browser: {}, asked: 0, ending: "denied" };
      for (let at = 0; at < 203; at += 1) await store.record({ ...entry, jti: `id-${at}`, at });
      await store.record({ ...entry, jti: "id-202", at: 999, ending: "elsewhere" });
      const kept = (await store.all("history")).sort((a, b) => a.at - b.at);
      return [kept.length, kept[0].jti, kept.at(-1).ending];
    }"""
    assert await page.evaluate(code) == [200, "id-3", "denied"]


async def test_over_plain_http_from_another_machine_it_explains_itself(
    context: BrowserContext, services: Stage
) -> None:
    page = await context.new_page()
    await page.goto(services.origin.replace("localhost", INSECURE_HOST))
    await expect(page.get_by_role("heading", name="This address is not secure")).to_be_visible()
