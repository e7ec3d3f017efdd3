"""Answers and the connection survive refusals, lost networks, reloads and restarts."""

import re
from datetime import timedelta
from typing import Final

import pytest
from playwright.async_api import Page, expect

from protocol.challenges import verify_proof
from schemas.contract import Purpose, Verdict
from tests.component.web.stage import Stage, ask, network_lost, press, result_is

pytestmark = pytest.mark.asyncio(loop_scope="session")


REFUSALS: Final[tuple[tuple[list[str], dict[str, str], str], ...]] = (
    (["bad-nonce"], {}, "Sign-in approved"),
    (["stale"], {}, "Sign-in approved"),
    (["unavailable"], {}, "Sign-in approved"),
    (["unknown-device", "too-many-requests"], {}, "Sign-in approved"),
    (["already-answered"], {"verdict": "approve"}, "Sign-in approved"),
    (["already-answered"], {"verdict": "deny"}, "Already answered"),
    (["replayed-nonce"], {}, "Sign-in approved"),
    (["unknown-challenge"], {}, "Request withdrawn"),
    (["expired"], {}, "Too late"),
    (["wrong-url"], {}, "Answer refused"),
)


async def test_what_each_refusal_of_an_answer_leads_to(page: Page, services: Stage) -> None:
    for refusals, members, heading in REFUSALS:
        claims = await ask(services)
        await expect(page.get_by_test_id("approve")).to_be_enabled()
        services.refusals, services.problem_members = list(refusals), members
        await press(page, "approve")
        await result_is(page, heading)
        assert services.refusals == []
        services.waiting[claims.aud].clear()
        await press(page, "done")


async def test_an_answer_is_sent_until_it_is_decided(page: Page, services: Stage) -> None:
    challenge = await services.ask(services.claims(services.device_id, Purpose.LOGIN))
    services.outcomes = ["received", "received", "approved"]
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    await press(page, "approve")
    await result_is(page, "Sign-in approved")
    first, second, third = (verify_proof(challenge, each.compact) for each in services.requests[-3:])
    assert first.answer_id == second.answer_id == third.answer_id
    assert len({each.nonce for each in services.requests[-3:]}) == 3
    assert services.sent_along[-3:] == [challenge] * 3


async def test_an_answer_is_kept_over_a_lost_network_and_a_reload(page: Page, services: Stage) -> None:
    challenge = await services.ask(services.claims(services.device_id, Purpose.LOGIN))
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    async with network_lost(page, services):
        await press(page, "approve")
    await result_is(page, "Sign-in approved")
    assert verify_proof(challenge, services.requests[-1].compact).verdict is Verdict.APPROVE


async def test_an_answer_that_cannot_be_sent_in_time_is_reported(page: Page, services: Stage) -> None:
    await ask(services)
    await page.context.route(f"{services.origin}/challenges/**", lambda route: route.abort())
    await press(page, "approve")
    await result_is(page, "Not sent yet")
    services.clock_offset = timedelta(minutes=13)
    await services.hang_up()
    await result_is(page, "Could not be sent")


async def test_an_answer_that_had_counted_is_known_after_its_request_ran_out(page: Page, services: Stage) -> None:
    await ask(services)
    await page.context.route(f"{services.origin}/challenges/**", lambda route: route.abort())
    await press(page, "approve")
    await result_is(page, "Not sent yet")
    services.clock_offset = timedelta(minutes=3)
    await services.hang_up()
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    await expect(page.get_by_test_id("result").get_by_role("heading")).to_have_text("Not sent yet")
    services.refusals, services.problem_members = ["already-answered"], {"verdict": "approve"}
    await page.context.unroute(f"{services.origin}/challenges/**")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await result_is(page, "Sign-in approved")


async def test_a_person_who_returns_to_the_phone_does_not_wait(page: Page, services: Stage) -> None:
    await ask(services)
    services.refusals, services.headers = ["unavailable"], {"Retry-After": "90"}
    await press(page, "approve")
    await result_is(page, "Not sent yet")
    # Far outside its range, so that each pause is much longer than anything here waits.
    await page.evaluate("() => void (Math.random = () => 60)")
    await services.hang_up()
    await expect(page.get_by_test_id("connection")).to_contain_text(re.compile(r"^Reconnecting in 2\d s$"))
    await expect(page.get_by_test_id("result").get_by_role("heading")).to_have_text("Not sent yet")
    await page.evaluate("() => dispatchEvent(new Event('online'))")
    await result_is(page, "Sign-in approved")
    await press(page, "done")
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")


async def test_a_phone_that_another_program_replaced_comes_back_only_if_asked(page: Page, services: Stage) -> None:
    opened = services.openings
    await services.hang_up(code=4409)
    await expect(page.get_by_test_id("connection")).to_contain_text("Another app uses this phone's key")
    assert services.openings == opened
    await press(page, "retry")
    await expect(page.get_by_test_id("connection")).to_have_text("Connected")
    assert services.openings == opened + 1


async def test_the_connection_comes_back_by_itself_with_what_waits(page: Page, services: Stage) -> None:
    device_id = services.device_id
    services.socket_problem = "too-many-requests"
    await services.hang_up()
    await expect(page.get_by_test_id("connection")).to_contain_text("The service is busy. Reconnecting in")
    services.socket_problem = None
    claims = services.claims(device_id, Purpose.LOGIN)
    await services.ask(claims)
    await press(page, "retry")
    await expect(page.get_by_test_id("approve")).to_be_enabled()
    await page.reload()
    await press(page, "approve")
    await result_is(page, "Sign-in approved")
    assert services.receipts[-2:] == [claims.jti, claims.jti]
