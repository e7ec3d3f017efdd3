"""The app in the background: notifications, opening without a network, and updates by its service worker."""

import asyncio
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.chromium import chromium
from tests.component.web.stage import Stage, a_paired_phone, ask, press
from tests.polling import DEADLINE_SECONDS

pytestmark = pytest.mark.asyncio(loop_scope="session")
READY: Final = "async () => void (await navigator.serviceWorker.ready)"
NOTIFICATIONS: Final = """async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ tag, title, body }) => [tag, title, body]);
}"""
VERSIONS: Final = "async () => (await caches.keys()).length"
KEPT: Final = """async () => {
  const cache = await caches.open((await caches.keys())[0]);
  return (await cache.keys()).map(({ url }) => new URL(url).pathname);
}"""


async def becomes(page: Page, code: str, value: object) -> None:
    """Wait until code returns a value; the page policy forbids Playwright's own wait."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await page.evaluate(code) != value:
            await asyncio.sleep(0.05)


@pytest.mark.usefixtures("stable_network")
async def test_a_hidden_app_calls_by_a_notification_once_it_may(services: Stage) -> None:
    async with chromium(shell=False) as browser, await browser.new_context(base_url=services.origin) as context:
        await sees_and_calls(context, services)


async def sees_and_calls(context: BrowserContext, services: Stage) -> None:
    """Let the app request permission, notify, and close the notification."""
    page = await a_paired_phone(context, services)
    await press(page, "tab-settings")
    await expect(page.get_by_test_id("allow-notifications")).to_be_visible()
    await context.grant_permissions(["notifications"], origin=services.origin)
    # A headless browser shows all of its pages.
    await page.evaluate("() => void Object.defineProperty(document, 'hidden', { value: true })")
    claims = await ask(services)
    title, body = "Approve the sign-in of ann@example.com to Account Manager?", "Firefox on Linux, 192.0.2.7"
    await becomes(page, NOTIFICATIONS, [[claims.jti, title, body]])
    await expect(page).to_have_title("Request waiting")
    await services.end(claims, "withdrawn")
    await expect(page).to_have_title("Salesforce Authenticator")
    await becomes(page, NOTIFICATIONS, [])


async def test_it_opens_without_a_network(keeping: BrowserContext, services: Stage) -> None:
    page = await a_paired_phone(keeping, services)
    await page.evaluate(READY)
    await keeping.set_offline(offline=True)
    await page.reload()
    await expect(page.get_by_test_id("account-row")).to_contain_text("ann@example.com")
    await expect(page.get_by_test_id("connection")).to_have_text("Offline. Waiting for a network.")
    await expect(page).to_have_title("Salesforce Authenticator")
    await keeping.set_offline(offline=False)
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    kept = await page.evaluate(KEPT)
    assert "/app.js" in kept
    assert not {"/nonce", "/.well-known/countersign", "/.well-known/jwks.json"} & set(kept)


async def test_a_newer_version_is_offered_and_taken_as_a_whole(keeping: BrowserContext, services: Stage) -> None:
    page = await a_paired_phone(keeping, services)
    await page.evaluate(READY)
    await page.reload()
    services.version = "newer"
    await page.evaluate("async () => void (await (await navigator.serviceWorker.ready).update())")
    await expect(page.get_by_test_id("banner")).to_contain_text("A new version of this app is available.")
    await becomes(page, VERSIONS, 2)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Reload").click()
    await expect(page.get_by_test_id("account-row")).to_be_visible()
    await becomes(page, VERSIONS, 1)
    assert "newer" in await page.evaluate("async () => (await caches.keys())[0]")
