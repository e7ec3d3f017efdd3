"""Only the account's service can remove its account from the phone, by a signed statement."""

from typing import Any, Final

import pytest
from playwright.async_api import BrowserContext, Page, expect

from protocol.jose import PrivateKey
from schemas.contract import Purpose
from tests.component.web.stage import Stage, a_phone, ask, press, result_is
from tests.component.web.vectors import DEVICE, VECTORS
from tests.polling import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")
FAREWELL: Final = "Account Manager no longer uses this phone for ann@example.com."


STATED: Final = """async ([statements, deviceId, account, published]) => {
  const { verifyUnpaired } = await import("/unpaired.js");
  const isThat = ({ iss, account_id }) => iss === account.issuer && account_id === account.account_id;
  const find = async (statement) => (isThat(statement) ? account : undefined);
  const verdict = async (statement) => {
    try {
      return (await verifyUnpaired(statement, { deviceId, find, published: async () => published })) ?? null;
    } catch (error) {
      return error.name;
    }
  };
  return Promise.all(statements.map(verdict));
}"""


async def test_statements_are_judged_as_the_vectors_say(context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto("/icons/icon.svg")
    case = VECTORS["unpaired"]

    async def judge(statements: list[dict[str, Any]]) -> list[Any]:
        texts = [each["jws"] for each in statements]
        verdicts: list[Any] = await page.evaluate(STATED, [texts, DEVICE, case["account"], []])
        return verdicts

    assert await judge([case["statement"]]) == [case["statement"]["claims"]]
    assert await judge(case["refused"]) == ["SignatureError"] * len(case["refused"])
    for why, verdict in zip(case["ignored"], await judge(case["ignored"]), strict=True):
        assert verdict in (None, "ChallengeError"), why["why"]


async def history(page: Page) -> list[str]:
    await press(page, "tab-history")
    await expect(page.get_by_role("heading", name="History")).to_be_visible()
    return [" ".join(row.split()) for row in await page.get_by_test_id("history-row").all_inner_texts()]


async def answers_still(page: Page, services: Stage) -> None:
    """Check that the phone shows a sign-in of the account, so that all earlier frames are processed."""
    await ask(services)
    await press(page, "deny")
    await result_is(page, "Sign-in denied")
    await press(page, "done")


async def test_the_account_goes_with_a_word_and_an_entry(page: Page, services: Stage) -> None:
    await services.unpair()
    await expect(page.get_by_test_id("account-row")).to_have_count(0)
    await expect(page.get_by_test_id("banner")).to_contain_text(FAREWELL)
    (row,) = await history(page)
    assert "ann@example.com" in row
    assert "Disconnected This phone was removed by Account Manager" in row
    await page.get_by_test_id("banner").get_by_role("button", name="OK").click()
    await expect(page.get_by_test_id("banner")).not_to_contain_text(FAREWELL)
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    await expect(page.get_by_test_id("banner")).not_to_contain_text(FAREWELL)


async def test_hearing_it_again_changes_nothing(page: Page, services: Stage) -> None:
    for _ in range(2):
        await services.unpair()
        await expect(page.get_by_test_id("banner")).to_contain_text(FAREWELL)
    await services.unpair()
    await services.hang_up()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    assert len(await history(page)) == 1
    assert (await page.get_by_test_id("banner").inner_text()).count(FAREWELL) == 1


async def test_a_later_pairing_stands(page: Page, services: Stage) -> None:
    await services.unpair(pairing_id="pairing-2")
    await answers_still(page, services)
    await expect(page.get_by_test_id("account-row")).to_have_count(1)


async def test_only_what_the_account_s_service_signed_is_believed(page: Page, services: Stage) -> None:
    stranger = PrivateKey.generate()
    statement = await services.unpair(stranger)
    header, payload, signature = statement.split(".")
    for forged in (f"{header}.{payload}.{signature[::-1]}", "nonsense", "", f"{header}.e30.{signature}"):
        await services.send({"type": "unpaired", "statement": forged})
    await services.send({"type": "unpaired"})
    await services.unpair(aud=stranger.public.thumbprint)
    await services.unpair(iss="http://elsewhere.example")
    await services.unpair(account_id="account-2")
    challenge = await services.ask(services.claims(services.device_id, Purpose.LOGIN))
    await services.send({"type": "unpaired", "statement": challenge})
    await press(page, "deny")
    await result_is(page, "Sign-in denied")
    await press(page, "done")
    await expect(page.get_by_test_id("account-row")).to_have_count(1)
    await expect(page.get_by_test_id("banner")).to_have_text("")


async def test_a_key_that_the_service_publishes_by_now_is_believed(page: Page, services: Stage) -> None:
    newer = PrivateKey.generate()
    services.served = [services.key, newer]
    await services.unpair(newer)
    await expect(page.get_by_test_id("account-row")).to_have_count(0)


async def test_a_pairing_that_ended_before_its_answer_arrived_leaves_no_account(
    context: BrowserContext, services: Stage
) -> None:
    page = await a_phone(context)
    await press(page, "new-account")
    await expect(page.get_by_test_id("phrase")).to_be_visible()
    claims = await ask(services, Purpose.PAIRING)
    services.answer_gate.clear()
    await press(page, "accept")
    await expect(page.get_by_test_id("result")).to_have_attribute("data-ending", "sending")
    await services.unpair(pairing_id=claims.jti)
    behind = await ask(services, Purpose.PAIRING, account_id="account-2")
    await eventually(lambda: behind.jti in services.receipts)
    services.answer_gate.set()
    await result_is(page, "Account connected")
    await press(page, "done")
    await press(page, "decline")
    await press(page, "done")
    await expect(page.get_by_test_id("banner")).to_contain_text(FAREWELL)
    await expect(page.get_by_test_id("account-row")).to_have_count(0)


async def test_what_the_account_asked_before_is_over(page: Page, services: Stage) -> None:
    await ask(services)
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    await services.unpair()
    await result_is(page, "Request withdrawn")
    await press(page, "done")
    await expect(page.get_by_test_id("banner")).to_contain_text(FAREWELL)
    assert len(await history(page)) == 2


async def test_each_window_of_the_app_tells_it(page: Page, context: BrowserContext, services: Stage) -> None:
    other = await context.new_page()
    await other.goto("/#/history")
    await expect(other.get_by_test_id("connection")).to_have_text("Connected")
    await services.unpair()
    for each in (page, other):
        await expect(each.get_by_test_id("banner")).to_contain_text(FAREWELL)
    assert len(await history(page)) == 1
