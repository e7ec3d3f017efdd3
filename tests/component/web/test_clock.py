"""Clock skew between instances: the phone hides no live request, and corrects its clock."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from schemas.contract import Purpose
from tests.component.device.builders import has_opened
from tests.component.web.stage import SECRET, Stage, a_paired_phone, a_phone, ask, press, result_is, shows_code_of
from tests.polling import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")
AHEAD: Final = timedelta(seconds=45)
GOOD_SECONDS: Final = 30
A_LOOK_SECONDS: Final = 2.5
"""Time within which the app checks at least once for expired requests."""


def good_for_half_a_minute() -> dict[str, Any]:
    """Return the times of a challenge that a service with a right clock issues now."""
    issued = int(datetime.now(UTC).timestamp())
    return {"iat": issued, "exp": issued + GOOD_SECONDS}


async def test_a_request_is_shown_after_a_wrong_time_at_the_opening(context: BrowserContext, services: Stage) -> None:
    services.clock_offset = AHEAD
    page = await a_paired_phone(context, services)
    services.clock_offset = timedelta()
    await ask(services, **good_for_half_a_minute())
    await expect(page.get_by_test_id("time-left")).to_have_text(re.compile(r"^0:[123]\d left$"))
    await press(page, "approve")
    await result_is(page, "Sign-in approved")


async def test_a_request_is_shown_and_stays_where_all_instances_are_ahead(
    context: BrowserContext, services: Stage
) -> None:
    services.clock_offset = AHEAD
    page = await a_paired_phone(context, services)
    await ask(services, **good_for_half_a_minute())
    await expect(page.get_by_test_id("time-left")).to_have_text("0:00 left")
    await asyncio.sleep(A_LOOK_SECONDS)
    await press(page, "approve")
    await result_is(page, "Sign-in approved")


async def test_a_request_is_shown_whatever_each_instances_clock_is(context: BrowserContext, services: Stage) -> None:
    random = Random(1)  # noqa: S311 - what is wanted is the same again
    page = await a_paired_phone(context, services)
    for number in range(6):
        services.clock_offset = timedelta(seconds=random.randint(-240, 240))
        await services.hang_up()
        await eventually(partial(has_opened, services, number + 2))
        services.clock_offset = timedelta(seconds=random.randint(-240, 240))
        await services.ping(services.device_id)
        services.clock_offset = timedelta(seconds=random.randint(-240, 240))
        await ask(services, account_name=f"account {number}", **good_for_half_a_minute())
        await expect(page.get_by_test_id("request-account")).to_have_text(f"account {number}")
        await press(page, "deny")
        await result_is(page, "Sign-in denied")
        await press(page, "done")


async def test_a_ping_puts_the_clock_right_for_codes_without_a_network_too(
    keeping: BrowserContext, services: Stage
) -> None:
    services.clock_offset = timedelta(minutes=4)
    page = await a_paired_phone(keeping, services)
    await page.evaluate("async () => void (await navigator.serviceWorker.ready)")
    services.clock_offset = timedelta()
    await services.ping(services.device_id, with_time=False)
    await services.ping(services.device_id)
    await shows_code_of(page, services, SECRET)
    await keeping.set_offline(offline=True)
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Offline. Waiting for a network.")
    await shows_code_of(page, services, SECRET)


@pytest.mark.parametrize(("reason", "heading"), [("expired", "Too late"), ("withdrawn", "Request withdrawn")])
async def test_a_request_that_was_called_over_is_shown_when_the_service_sends_it_again(
    page: Page, services: Stage, reason: str, heading: str
) -> None:
    claims = await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    await services.end(claims, reason)
    await result_is(page, heading)
    await services.ask(claims)
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    await press(page, "approve")
    await result_is(page, "Sign-in approved")
    await press(page, "done")
    await press(page, "tab-history")
    await expect(page.get_by_test_id("history-row")).to_have_count(1)
    await expect(page.get_by_test_id("history-row")).to_contain_text("Approved")


async def test_the_clock_alone_ends_no_request_while_the_service_is_heard(page: Page, services: Stage) -> None:
    await ask(services, **good_for_half_a_minute())
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    services.clock_offset = AHEAD
    await services.ping(services.device_id)
    await expect(page.get_by_test_id("time-left")).to_have_text("0:00 left")
    await asyncio.sleep(A_LOOK_SECONDS)
    await press(page, "approve")
    await result_is(page, "Sign-in approved")


async def test_a_pairing_is_shown_where_the_phrase_was_asked_for_by_a_wrong_clock(
    context: BrowserContext, services: Stage
) -> None:
    services.clock_offset = timedelta(minutes=4)
    page = await a_phone(context)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    services.clock_offset = timedelta()
    await ask(services, Purpose.PAIRING, **good_for_half_a_minute())
    await expect(page.get_by_test_id("accept")).to_be_enabled()


async def test_a_challenge_that_is_not_shown_has_its_reason_logged(page: Page, services: Stage) -> None:
    now = int(services.now().timestamp())
    async with page.expect_console_message(lambda message: "it has expired" in message.text) as message:
        await ask(services, iat=now - 700, exp=now - 400)
    assert (await message.value).text == "Challenge not shown: it has expired"
