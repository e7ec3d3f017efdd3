"""Clock skew between instances: the phone hides no live request, and corrects its clock."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Final

import pytest

from authenticator.device.clock import ServiceClock
from authenticator.device.code_derivation import code_of
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import ChallengeOutcome
from protocol.challenges import Claims
from protocol.verification_codes import find_step
from schemas.contract import Purpose, Verdict
from tests.builders import present
from tests.component.device.builders import QUICK, has_opened, next_request, outcome_of, pair, send_challenge
from tests.component.device.fake_services import FakeServices
from tests.polling import eventually

AHEAD: Final = timedelta(seconds=45)
GOOD_SECONDS: Final = 30
A_LOOK_SECONDS: Final = 1.5
"""Time within which the phone checks at least once for expired requests."""


def good_for_half_a_minute(services: FakeServices, phone: VirtualPhone, purpose: Purpose = Purpose.LOGIN) -> Claims:
    """Return the claims of a challenge that a service with a right clock issues now."""
    issued = int(datetime.now(UTC).timestamp())
    return services.claims(phone.device_id, purpose, iat=issued, exp=issued + GOOD_SECONDS)


@pytest.mark.parametrize("others", [timedelta(), AHEAD], ids=["the others are right", "all are ahead"])
async def test_request_is_shown_after_a_wrong_time_at_the_opening(services: FakeServices, others: timedelta) -> None:
    services.clock_offset = AHEAD
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        services.clock_offset = others
        claims = good_for_half_a_minute(services, phone)
        await services.ask(claims)
        request = await next_request(phone)
        assert request.claims.jti == claims.jti
        await asyncio.sleep(A_LOOK_SECONDS)
        await phone.answer(request, Verdict.APPROVE)
        assert request.outcome is ChallengeOutcome.APPROVED


async def test_seeming_expiry_has_the_time_fetched_again(services: FakeServices) -> None:
    services.clock_offset = AHEAD
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        services.clock_offset = timedelta()
        await services.ask(good_for_half_a_minute(services, phone))
        await next_request(phone)
        assert abs(phone.clock.offset_seconds) < 5


async def test_request_is_shown_whatever_each_instances_clock_is(services: FakeServices) -> None:
    random = Random(1)  # noqa: S311 - what is wanted is the same again
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        for openings in range(2, 32):
            services.clock_offset = timedelta(seconds=random.randint(-240, 240))
            await services.hang_up(phone.device_id)
            await eventually(partial(has_opened, services, openings))
            services.clock_offset = timedelta(seconds=random.randint(-240, 240))
            await services.ping(phone.device_id)
            services.clock_offset = timedelta(seconds=random.randint(-240, 240))
            claims = good_for_half_a_minute(services, phone)
            await services.ask(claims)
            request = await next_request(phone)
            assert request.claims.jti == claims.jti
            await phone.answer(request, Verdict.DENY)


async def test_ping_puts_the_clock_right_and_it_is_kept(services: FakeServices) -> None:
    services.clock_offset = AHEAD
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await phone.connected()
        services.clock_offset = timedelta()
        await services.ping(phone.device_id)
        await eventually(lambda: abs(phone.clock.offset_seconds) < 5)
        assert abs(phone.store.read().clock_offset_seconds) < 5


async def test_code_without_a_network_is_by_the_newest_time_heard(services: FakeServices) -> None:
    services.clock_offset = timedelta(minutes=4)
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        services.clock_offset = timedelta()
        await services.ping(phone.device_id)
        await eventually(lambda: abs(phone.clock.offset_seconds) < 5)
        store = phone.store
    (account,) = store.read().accounts
    secret = store.agreement.code_secret(present(account.agreement), present(account.pairing_id))
    clock = ServiceClock(offset_seconds=store.read().clock_offset_seconds)
    assert find_step(secret, code_of(account, store.agreement, clock.now()).code, services.now()) is not None


async def test_ping_of_an_older_service_changes_nothing(services: FakeServices, new_phone: VirtualPhone) -> None:
    before = new_phone.clock.offset_seconds
    await services.ping(new_phone.device_id, with_time=False)
    await pair(services, new_phone)
    assert (new_phone.clock.offset_seconds, services.openings) == (before, 1)


@pytest.mark.parametrize("reason", ["expired", "withdrawn"])
async def test_request_that_was_called_over_is_shown_when_the_service_sends_it_again(
    services: FakeServices, phone: VirtualPhone, reason: str
) -> None:
    claims, request = await send_challenge(services, phone)
    await services.end(claims, reason)
    await outcome_of(request)
    await services.ask(claims)
    again = await next_request(phone)
    assert again.claims.jti == claims.jti
    await phone.answer(again, Verdict.APPROVE)
    outcomes = [entry.outcome for entry in phone.store.read().history if entry.challenge_id == claims.jti]
    assert outcomes == [ChallengeOutcome.APPROVED]


async def test_request_that_an_instance_did_not_name_is_shown_when_another_one_sends_it(
    services: FakeServices, phone: VirtualPhone
) -> None:
    claims, request = await send_challenge(services, phone)
    services.end_unheard(claims)
    await services.hang_up(phone.device_id)
    assert await outcome_of(request) is ChallengeOutcome.WITHDRAWN
    await services.ask(claims)
    assert (await next_request(phone)).claims.jti == claims.jti


async def test_pairing_that_was_called_over_is_shown_when_the_service_sends_it_again(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    await new_phone.new_phrase()
    claims = services.claims(new_phone.device_id, Purpose.PAIRING)
    await services.ask(claims)
    request = await next_request(new_phone)
    await services.end(claims, "expired")
    assert await outcome_of(request) is ChallengeOutcome.EXPIRED
    await services.ask(claims)
    await new_phone.answer(await next_request(new_phone), Verdict.APPROVE)
    assert len(new_phone.store.read().accounts) == 1


async def test_clock_alone_ends_no_request_while_the_service_is_heard(
    services: FakeServices, phone: VirtualPhone
) -> None:
    await services.ask(good_for_half_a_minute(services, phone))
    request = await next_request(phone)
    services.clock_offset = AHEAD
    await services.ping(phone.device_id)
    await eventually(lambda: phone.clock.seconds_until(request.claims.expires_at) == 0)
    await asyncio.sleep(A_LOOK_SECONDS)
    assert request.outcome is None


async def test_request_runs_out_by_the_clock_while_nothing_is_heard(services: FakeServices) -> None:
    services.clock_offset = -AHEAD
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await pair(services, phone)
        now = int(services.now().timestamp())
        await services.ask(services.claims(phone.device_id, Purpose.LOGIN, iat=now - 3600, exp=now + 3))
        request = await next_request(phone)
        services.socket_problem = "unavailable"
        await services.hang_up(phone.device_id)
        assert await outcome_of(request) is ChallengeOutcome.EXPIRED
        assert services.now() >= request.claims.expires_at


async def ask_ahead_of_time(services: FakeServices, phone: VirtualPhone) -> Claims:
    """Send a challenge that seems to have expired, and return its claims while the phone fetches the time."""
    await pair(services, phone)
    services.clock_offset = AHEAD
    await services.ping(phone.device_id)
    services.clock_offset = timedelta()
    claims = good_for_half_a_minute(services, phone)
    services.discovery_gate.clear()
    await services.ask(claims)
    return claims


async def ask_and_answer(services: FakeServices, phone: VirtualPhone) -> None:
    """Send a long-lived challenge and deny it, so that the phone has processed all earlier frames."""
    claims = services.claims(phone.device_id, Purpose.LOGIN, exp=int(services.now().timestamp()) + 3600)
    await services.ask(claims)
    request = await next_request(phone)
    assert request.claims.jti == claims.jti
    await phone.answer(request, Verdict.DENY)


async def test_request_that_ends_while_the_time_is_fetched_is_not_shown(
    services: FakeServices, new_phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    over = await ask_ahead_of_time(services, new_phone)
    await services.end(over, "withdrawn")
    await ask_and_answer(services, new_phone)
    services.discovery_gate.set()
    await eventually(lambda: "challenge not shown: it has ended" in caplog.text)
    assert over.jti not in services.receipts


async def test_request_that_ends_and_comes_again_while_the_time_is_fetched_is_shown(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    claims = await ask_ahead_of_time(services, new_phone)
    await services.end(claims, "expired")
    await services.ask(claims)
    await ask_and_answer(services, new_phone)
    services.discovery_gate.set()
    assert (await next_request(new_phone)).claims.jti == claims.jti


@pytest.mark.parametrize("seconds", [-240, 240])
async def test_pairing_is_shown_where_the_phrase_was_asked_for_by_a_wrong_clock(
    services: FakeServices, seconds: int
) -> None:
    services.clock_offset = timedelta(seconds=seconds)
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await phone.new_phrase()
        services.clock_offset = timedelta()
        claims = good_for_half_a_minute(services, phone, Purpose.PAIRING)
        await services.ask(claims)
        assert (await next_request(phone)).claims.jti == claims.jti


async def test_pairing_is_shown_after_the_phrase_s_request_put_the_clock_right(
    services: FakeServices, new_phone: VirtualPhone
) -> None:
    services.clock_offset = timedelta(minutes=-10)
    await pair(services, new_phone)
    assert new_phone.store.read().accounts


async def test_challenge_that_is_not_shown_has_its_reason_logged(
    services: FakeServices, phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    now = int(services.now().timestamp())
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN, iat=now - 700, exp=now - 400))
    await eventually(lambda: "challenge not shown: it has expired" in caplog.text)
