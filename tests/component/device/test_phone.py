"""A phone pairs, is asked, and answers; whatever it meets on the way."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from authenticator.device.phone import VirtualPhone
from authenticator.device.requests import Request
from authenticator.device.retries import Timing
from authenticator.device.state import Outcome
from protocol.challenges import challenge_digest, verify_proof
from schemas.contract import Purpose, Verdict
from tests.component.device.fake_services import FakeServices, fake_services

QUICK = Timing(first_pause_seconds=0.01, longest_pause_seconds=0.05, silence_seconds=5, exchange_seconds=5)


@pytest.fixture
async def services() -> AsyncIterator[FakeServices]:
    async with fake_services() as services:
        yield services


@pytest.fixture
async def phone(services: FakeServices) -> AsyncIterator[VirtualPhone]:
    async with VirtualPhone.in_memory(services.origin, "Pixel 9", timing=QUICK) as phone:
        await phone.connected()
        yield phone


async def next_request(phone: VirtualPhone) -> Request:
    async with asyncio.timeout(10):
        return await anext(phone.requests())


async def paired(services: FakeServices, phone: VirtualPhone) -> None:
    await phone.new_phrase()
    await services.ask(services.claims(phone.device_id, Purpose.PAIRING))
    await phone.answer(await next_request(phone), Verdict.APPROVE)


async def test_whole_life_of_a_phone(services: FakeServices, phone: VirtualPhone) -> None:
    issued = await phone.new_phrase()
    assert issued.phrase == "crimson otter"
    assert services.requests[0].payload == {"device_name": "Pixel 9"}

    await services.ask(services.claims(phone.device_id, Purpose.PAIRING))
    pairing = await next_request(phone)
    assert pairing.claims.account_name == "ann@example.com"
    await phone.answer(pairing, Verdict.APPROVE)
    assert [account.issuer for account in phone.store.read().accounts] == [services.origin]

    challenge = await services.ask(services.claims(phone.device_id, Purpose.LOGIN))
    login = await next_request(phone)
    await phone.answer(login, Verdict.DENY)
    proof = verify_proof(challenge, services.requests[-1].compact)
    assert (proof.verdict, proof.device_id) == (Verdict.DENY, phone.device_id)
    assert services.requests[-1].payload["challenge_digest"] == challenge_digest(challenge)
    assert services.receipts == [pairing.claims.jti, login.claims.jti]
    assert [entry.outcome for entry in phone.store.read().history] == [Outcome.APPROVED, Outcome.DENIED]
