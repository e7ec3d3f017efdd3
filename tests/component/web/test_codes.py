"""Each connected account shows its verification code, with a network and without one."""

import re
from datetime import timedelta
from typing import Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from protocol.verification_codes import code_at
from tests.component.web.stage import SECRET, Stage, a_paired_phone, shows_code_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
MADE: Final = """async ([secret, moments]) => {
  const { codeAt, stepAt } = await import("/codes.js");
  const hmac = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), hmac, false, ["sign"]);
  return Promise.all(moments.map((seconds) => codeAt(key, stepAt(seconds * 1000 + 999))));
}"""
RFC_6238: Final = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
"""Appendix B, SHA-1: seconds since 1970, and the code in eight digits, of which ours are the last six."""


async def made(page: Page, secret: str, moments: list[int]) -> list[str]:
    await page.goto("/icons/icon.svg")
    codes: list[str] = await page.evaluate(MADE, [secret, moments])
    return codes


async def test_codes_are_those_of_rfc_6238(context: BrowserContext) -> None:
    codes = await made(await context.new_page(), "12345678901234567890", list(RFC_6238))
    assert codes == [code[2:] for code in RFC_6238.values()]


async def test_codes_are_those_that_the_service_expects(context: BrowserContext) -> None:
    moments = [1_795_507_200 + 7919 * each for each in range(300)]
    codes = await made(await context.new_page(), SECRET.decode(), moments)
    assert codes == [code_at(SECRET, moment // 30) for moment in moments]


async def test_the_code_follows_the_service_s_clock(context: BrowserContext, services: Stage) -> None:
    services.clock_offset = timedelta(hours=-7)
    page = await a_paired_phone(context, services)
    await shows_code_of(page, services, SECRET)
    await expect(page.get_by_test_id("code")).to_contain_text(re.compile(r"Verification code\d{3}\u2009\d{3}"))
    services.clock_offset += timedelta(minutes=2)
    await services.hang_up()
    await shows_code_of(page, services, SECRET)


async def test_codes_are_there_without_a_network(keeping: BrowserContext, services: Stage) -> None:
    services.clock_offset = timedelta(hours=3)
    page = await a_paired_phone(keeping, services)
    await page.evaluate("async () => void (await navigator.serviceWorker.ready)")
    await keeping.set_offline(offline=True)
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Offline. Waiting for a network.")
    await shows_code_of(page, services, SECRET)


async def test_a_tap_copies_the_code(page: Page, context: BrowserContext, services: Stage) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=services.origin)
    await shows_code_of(page, services, SECRET)
    shown = await page.get_by_test_id("code").get_attribute("aria-label")
    await page.get_by_test_id("code").click()
    await expect(page.get_by_test_id("notice")).to_have_text("The code was copied.")
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    assert re.fullmatch(r"\d{6}", copied)
    label = await page.get_by_test_id("code").get_attribute("aria-label")
    assert " ".join(copied) in f"{shown} {label}"


async def test_a_browser_that_does_not_copy_is_no_dead_end(page: Page) -> None:
    await page.evaluate("() => void Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.get_by_test_id("code").click()
    await expect(page.get_by_test_id("notice")).to_contain_text("Type the code as it is shown.")


async def test_the_code_and_its_time_do_not_chatter(page: Page) -> None:
    row = page.get_by_test_id("account-row")
    await expect(row.locator("svg.ring")).to_have_attribute("aria-hidden", "true")
    await expect(row.locator("svg.ring text")).to_have_text(re.compile(r"^\d{1,2}$"))
    await expect(row.locator("[aria-live], [role=status], [role=timer], output")).to_have_count(0)
