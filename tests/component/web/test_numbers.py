"""Number matching: an approval needs the number that the computer shows."""

from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from protocol.challenges import verify_proof
from schemas.contract import Purpose, Verdict
from tests.component.web.stage import Stage, a_paired_phone, network_lost, press, result_is

pytestmark = pytest.mark.asyncio(loop_scope="session")
LABEL: Final = "Enter the number that your computer shows"
TYPED: Final = (
    ("", ""),
    ("4", "4"),
    ("04", "04"),
    ("x", ""),
    ("4x", "4"),
    ("123", "12"),
    ("4-2", "42"),
    ("\uff14\u0662", "42"),
    ("10", "10"),
)
"""What is typed, and the digits that the field shows of it."""


async def asked_for_a_number(page: Page, services: Stage) -> str:
    """Ask the phone for a number; return the challenge."""
    challenge = await services.ask(services.claims(services.device_id, Purpose.LOGIN, number_matching=True))
    await expect(page.get_by_test_id("deny")).to_be_enabled()
    return challenge


async def test_approve_waits_for_two_digits(page: Page, services: Stage) -> None:
    challenge = await asked_for_a_number(page, services)
    number, approve = page.get_by_label(LABEL), page.get_by_test_id("approve")
    await expect(number).to_have_attribute("inputmode", "numeric")
    await expect(approve).to_be_disabled()
    for typed, shown in TYPED:
        await number.fill("")
        await number.press_sequentially(typed)
        await expect(number).to_have_value(shown)
        await expect(approve).to_be_enabled(enabled=int(shown or "0") >= 10)
    await number.fill("4")
    await number.press("Enter")
    await expect(approve).to_be_disabled()
    await number.fill("42")
    await approve.click()
    await result_is(page, "Sign-in approved")
    assert services.requests[-1].payload["number"] == 42
    assert verify_proof(challenge, services.requests[-1].compact).number == 42


async def test_a_wrong_number_is_told(page: Page, services: Stage) -> None:
    await asked_for_a_number(page, services)
    services.outcomes = ["wrong_number"]
    await page.get_by_label(LABEL).fill("42")
    await press(page, "approve")
    await result_is(page, "Wrong number")
    await expect(page.get_by_test_id("result")).to_contain_text("the sign-in was blocked")


@pytest.mark.parametrize(("button", "verdict"), [("deny", Verdict.DENY), ("report", Verdict.REPORT)])
async def test_no_number_is_needed_to_deny_and_none_is_sent(
    page: Page, services: Stage, button: str, verdict: Verdict
) -> None:
    challenge = await asked_for_a_number(page, services)
    if verdict is Verdict.REPORT:
        await page.get_by_label(LABEL).fill("42")
    await press(page, button)
    await expect(page.get_by_test_id("result")).to_be_visible()
    await expect(page.get_by_test_id("done")).to_be_visible()
    proof = verify_proof(challenge, services.requests[-1].compact)
    assert (proof.verdict, proof.number) == (verdict, None)


async def test_the_number_is_sent_with_an_answer_that_had_to_wait(page: Page, services: Stage) -> None:
    challenge = await asked_for_a_number(page, services)
    async with network_lost(page, services):
        await page.get_by_label(LABEL).fill("99")
        await page.get_by_label(LABEL).press("Enter")
    await result_is(page, "Sign-in approved")
    assert verify_proof(challenge, services.requests[-1].compact).number == 99


@pytest.mark.parametrize("has_keyboard", [True, False])
async def test_the_number_has_the_focus_where_no_keyboard_comes_up_over_the_request(
    browser: Browser,
    services: Stage,
    has_keyboard: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    context = await browser.new_context(
        base_url=services.origin, has_touch=not has_keyboard, is_mobile=not has_keyboard
    )
    async with context:
        page = await a_paired_phone(context, services)
        await asked_for_a_number(page, services)
        heading = page.get_by_role("heading", name="Approve this sign-in?")
        await expect(page.get_by_label(LABEL) if has_keyboard else heading).to_be_focused()


async def test_two_requests_do_not_share_a_number(page: Page, services: Stage) -> None:
    await asked_for_a_number(page, services)
    await services.ask(
        services.claims(
            services.device_id, Purpose.LOGIN, number_matching=True, iat=int(services.now().timestamp()) + 1
        )
    )
    await page.get_by_label(LABEL).fill("42")
    await press(page, "approve")
    await press(page, "done")
    await expect(page.get_by_label(LABEL)).to_have_value("")
    await expect(page.get_by_test_id("approve")).to_be_disabled()
