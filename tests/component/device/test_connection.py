"""The phone's socket: opened, lost and reopened; which frames arrive, and which of them the phone shows."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from authenticator.device.challenges import MAX_OPEN
from authenticator.device.connection import REPLACED_CODE
from authenticator.device.errors import DeviceError, ProblemError, ReplacedError
from authenticator.device.phone import VirtualPhone
from authenticator.device.state import ChallengeOutcome, State
from authenticator.device.store import MemoryStore
from protocol.jose import PrivateKey
from schemas.contract import Purpose, Verdict
from tests.component.device.builders import (
    QUICK,
    has_opened,
    next_request,
    outcome_of,
    pair,
    send_challenge,
    send_pairing,
)
from tests.component.device.fake_services import FakeServices
from tests.polling import eventually


async def test_lost_socket_is_reopened_and_nothing_is_missed(services: FakeServices, phone: VirtualPhone) -> None:
    claims = services.claims(phone.device_id, Purpose.LOGIN)
    await services.hang_up(phone.device_id)
    await services.ask(claims)
    assert (await next_request(phone)).claims.jti == claims.jti
    assert services.openings == 2


async def test_request_that_comes_again_is_shown_once_and_receipted_again(
    services: FakeServices, phone: VirtualPhone
) -> None:
    claims, request = await send_challenge(services, phone)
    await eventually(lambda: services.receipts.count(claims.jti) == 1)
    await services.hang_up(phone.device_id)
    await eventually(lambda: services.receipts.count(claims.jti) == 2)
    await phone.answer(request, Verdict.APPROVE)
    after = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(after)
    assert (await next_request(phone)).claims.jti == after.jti


async def test_request_that_was_answered_is_not_shown_again(services: FakeServices, phone: VirtualPhone) -> None:
    claims = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(claims)
    await phone.answer(await next_request(phone), Verdict.APPROVE)
    await services.ask(claims)
    after = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(after)
    assert (await next_request(phone)).claims.jti == after.jti


async def test_silent_socket_counts_as_lost(services: FakeServices) -> None:
    impatient = replace(QUICK, silence_seconds=0.1)
    async with VirtualPhone.in_memory(services.origin, timing=impatient) as phone:
        await phone.connected()
        await eventually(lambda: services.openings >= 3)


async def test_a_connection_error_is_reported_with_the_pause_before_the_retry(services: FakeServices) -> None:
    troubles: list[tuple[DeviceError, float]] = []
    store = MemoryStore(State(device_name="Pixel 9", url="http://127.0.0.1:1"))

    def tell(error: DeviceError, pause_seconds: float) -> None:
        troubles.append((error, pause_seconds))
        assert len(troubles) < 1000

    async with VirtualPhone(store, timing=QUICK, on_connection_error=tell):
        await eventually(lambda: len(troubles) >= 5)
    assert all(0 < pause_seconds <= QUICK.longest_pause_seconds * 1.2 for _, pause_seconds in troubles)
    assert services.openings == 0


async def test_pauses_begin_again_once_the_socket_was_open(services: FakeServices) -> None:
    pauses: list[float] = []
    store = MemoryStore(State(device_name="Pixel 9", url=services.origin))
    timing = replace(QUICK, longest_pause_seconds=60)
    async with VirtualPhone(store, timing=timing, on_connection_error=lambda _, pause: pauses.append(pause)) as phone:
        for opened in range(1, 6):
            await eventually(partial(has_opened, services, opened))
            await services.hang_up(phone.device_id)
        await eventually(lambda: len(pauses) == 5)
    assert max(pauses) <= QUICK.first_pause_seconds * 1.2


@pytest.mark.parametrize("name", ["wrong-url", "bad-signature", "malformed"])
async def test_socket_that_would_be_refused_again_is_given_up(services: FakeServices, name: str) -> None:
    services.socket_problem = name
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        for wait in (phone.connected(), next_request(phone), phone.new_phrase()):
            with pytest.raises(ProblemError) as refused:
                await wait
            assert refused.value.problem.name == name


async def test_a_socket_that_another_program_replaced_is_not_opened_again(services: FakeServices) -> None:
    async with VirtualPhone.in_memory(services.origin, timing=QUICK) as phone:
        await phone.connected()
        await services.hang_up(phone.device_id, code=REPLACED_CODE)
        with pytest.raises(ReplacedError):
            await next_request(phone)
        with pytest.raises(ReplacedError):
            await phone.connected()
    assert services.openings == 1


@pytest.mark.parametrize("name", ["stale", "bad-nonce", "unavailable"])
async def test_socket_that_may_be_opened_later_is_tried_again(services: FakeServices, name: str) -> None:
    services.socket_problem = name
    troubles: list[DeviceError] = []
    store = MemoryStore(State(device_name="Pixel 9", url=services.origin))
    async with VirtualPhone(store, timing=QUICK, on_connection_error=lambda error, _: troubles.append(error)) as phone:
        await eventually(lambda: len(troubles) >= 2)
        services.socket_problem = None
        await phone.connected()


async def test_withdrawn_request_is_over(services: FakeServices, phone: VirtualPhone) -> None:
    claims, request = await send_challenge(services, phone)
    await services.end(claims, "withdrawn")
    assert await outcome_of(request) is ChallengeOutcome.WITHDRAWN
    assert phone.store.read().history[-1].outcome is ChallengeOutcome.WITHDRAWN


async def test_request_that_ended_while_the_phone_was_away_is_over(services: FakeServices, phone: VirtualPhone) -> None:
    gone, stays = (services.claims(phone.device_id, Purpose.LOGIN) for _ in range(2))
    await services.ask(gone)
    request = await next_request(phone)
    await services.ask(stays)
    other = await next_request(phone)
    services.end_unheard(gone)
    await services.hang_up(phone.device_id)
    assert await outcome_of(request) is ChallengeOutcome.WITHDRAWN
    assert other.outcome is None


async def test_request_that_ended_before_anybody_looked_is_passed_over(
    services: FakeServices, phone: VirtualPhone
) -> None:
    gone, stays = (services.claims(phone.device_id, Purpose.LOGIN) for _ in range(2))
    await services.ask(gone)
    await eventually(lambda: gone.jti in services.receipts)
    await services.end(gone, "expired")
    await services.ask(stays)
    await eventually(lambda: stays.jti in services.receipts)
    assert (await next_request(phone)).claims.jti == stays.jti


async def test_request_expires_on_the_phone_too(services: FakeServices, phone: VirtualPhone) -> None:
    expires = int(services.now().timestamp()) + 2
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN, exp=expires))
    request = await next_request(phone)
    assert await outcome_of(request) is ChallengeOutcome.EXPIRED


async def test_more_requests_than_a_person_can_look_at_are_not_shown(
    services: FakeServices, phone: VirtualPhone
) -> None:
    for _ in range(MAX_OPEN + 5):
        await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    await eventually(lambda: len(services.receipts) == 1 + MAX_OPEN)
    request = await next_request(phone)
    await phone.answer(request, Verdict.DENY)
    await services.hang_up(phone.device_id)
    await eventually(lambda: len(set(services.receipts)) == 1 + MAX_OPEN + 1)


async def test_login_that_comes_before_the_pairing_is_confirmed_is_shown(
    services: FakeServices, new_phone: VirtualPhone, caplog: pytest.LogCaptureFixture
) -> None:
    """The computer may go on the moment the answer is in Kafka, which is before the new_phone has heard of it."""
    pairing = await send_pairing(services, new_phone)
    services.answer_gate.clear()
    answering = asyncio.create_task(new_phone.answer(pairing, Verdict.APPROVE))
    await eventually(lambda: services.requests[-1].payload.get("verdict") == "approve")
    login = services.claims(new_phone.device_id, Purpose.LOGIN)
    await services.ask(login)
    await services.ask(services.claims(new_phone.device_id, Purpose.LOGIN, exp=1))
    await eventually(lambda: "it has expired" in caplog.text)
    services.answer_gate.set()
    await answering
    assert (await next_request(new_phone)).claims.jti == login.jti


async def test_end_that_overtakes_the_receipt_of_ones_own_answer_changes_nothing(
    services: FakeServices, phone: VirtualPhone
) -> None:
    claims, request = await send_challenge(services, phone)
    services.answer_gate.clear()
    answering = asyncio.create_task(phone.answer(request, Verdict.APPROVE))
    await eventually(lambda: not services.waiting[phone.device_id])
    await services.end(claims, "answered")
    after = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(after)
    await eventually(lambda: after.jti in services.receipts)
    services.answer_gate.set()
    await answering
    assert request.outcome is ChallengeOutcome.APPROVED


async def test_key_that_was_rotated_in_is_believed_and_kept(services: FakeServices, phone: VirtualPhone) -> None:
    rotated, stranger = PrivateKey.generate(), PrivateKey.generate()
    services.served = [services.key, rotated]
    await services.ask(services.claims(phone.device_id, Purpose.LOGIN), stranger)
    believed = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(believed, rotated)
    assert (await next_request(phone)).claims.jti == believed.jti
    assert rotated.public.thumbprint in phone.store.read().accounts[0].keys
    services.served = []
    later = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(later, rotated)
    assert (await next_request(phone)).claims.jti == later.jti


async def test_pairing_that_was_not_asked_for_is_not_shown(services: FakeServices, new_phone: VirtualPhone) -> None:
    unasked = services.claims(new_phone.device_id, Purpose.PAIRING)
    await services.ask(unasked)
    await services.end(unasked, "withdrawn")
    await pair(services, new_phone)
    second = services.claims(new_phone.device_id, Purpose.PAIRING)
    await services.ask(second)
    login = services.claims(new_phone.device_id, Purpose.LOGIN)
    await services.ask(login)
    assert (await next_request(new_phone)).claims.jti == login.jti
    assert {unasked.jti, second.jti}.isdisjoint(services.receipts)
