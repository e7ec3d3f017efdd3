"""Pairing on the phone: the phrase, the request and the connected account."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, expect

from protocol.jose import PrivateKey
from schemas.contract import Purpose
from tests.component.web.stage import Stage, a_phone, ask, press, result_is

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_phrase_outlives_a_reload_and_ends_with_its_time(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_have_text("crimson otter")
    assert services.requests[-1].payload == {"device_name": "Pixel 9"}
    await page.reload()
    await expect(page.get_by_test_id("phrase")).to_have_text("crimson otter")
    assert len(services.requests) == 1

    services.clock_offset = timedelta(minutes=6)
    await services.hang_up()
    await expect(page.get_by_role("heading", name="This phrase has expired")).to_be_visible()
    await press(page, "new-phrase")
    await expect(page.get_by_test_id("phrase")).to_have_text("crimson otter")
    await press(page, "cancel")
    await expect(page.get_by_role("heading", name="Accounts", exact=True)).to_be_focused()


async def test_a_phrase_that_is_refused_shows_why_and_can_be_requested_again(
    context: BrowserContext, services: Stage
) -> None:
    page = await a_phone(context)
    services.refusals = ["bad-nonce", "too-many-requests"]
    await press(page, "new-account")
    await expect(page.get_by_test_id("problem")).to_contain_text("too often")
    await press(page, "try-again")
    await expect(page.get_by_test_id("phrase")).to_be_visible()


async def test_a_clock_that_goes_wrong_is_put_right_unseen(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    services.clock_offset = timedelta(minutes=20)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    await expect(page.get_by_test_id("time-left")).to_have_text(re.compile(r"^(5:00|4:\d\d) left$"))
    assert services.attempts == 2


async def test_a_pairing_shows_the_requester_and_pins_the_issuer(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    claims = await ask(services, Purpose.PAIRING)
    await expect(page.get_by_role("heading", name="Connect this account?")).to_be_focused()
    await expect(page.get_by_test_id("request-pairing")).to_contain_text(
        "Account Manager wants to connect account ann@example.com."
    )
    await expect(page.get_by_test_id("request-browser")).to_have_text("Firefox on Linux")
    await expect(page.get_by_test_id("request-address")).to_have_text("192.0.2.7")
    await press(page, "decline")
    await result_is(page, "Pairing declined")
    await press(page, "done")
    await expect(page.get_by_test_id("account-row")).to_have_count(0)
    assert services.receipts == [claims.jti]
    assert services.requests[-1].payload["verdict"] == "deny"

    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    await ask(services, Purpose.PAIRING)
    await press(page, "accept")
    await result_is(page, "Account connected")
    await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_enabled()


async def test_what_was_not_asked_for_or_not_paired_is_never_shown(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    await ask(services, Purpose.PAIRING)
    await ask(services)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    await services.ask(services.claims(services.device_id, Purpose.PAIRING), PrivateKey.generate())
    shown = await ask(services, Purpose.PAIRING, account_name="the right one")
    await expect(page.get_by_test_id("request-account")).to_have_text("the right one")
    await expect(page.get_by_test_id("request-count")).to_be_hidden()
    assert services.receipts == [shown.jti]


async def test_two_tabs_are_one_phone(context: BrowserContext, services: Stage) -> None:
    page = await a_phone(context)
    device_id = services.device_id
    other = await context.new_page()
    await other.goto("/")
    await expect(other.get_by_test_id("connection")).to_have_text("Connected")
    assert services.device_id == device_id
    await press(other, "new-account")
    await expect(other.get_by_test_id("phrase")).to_be_visible()
    await ask(services, Purpose.PAIRING)
    await press(other, "accept")
    await result_is(other, "Account connected")
    await result_is(page, "Already answered")
    await expect(page.get_by_test_id("result")).to_contain_text("It was approved.")
    await press(page, "done")
    await expect(page.get_by_test_id("account-row")).to_have_count(1)
