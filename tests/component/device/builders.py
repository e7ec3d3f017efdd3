"""Shared steps of the phone's tests."""

import asyncio
from typing import Final

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.phone import VirtualPhone
from authenticator.device.retries import Timing
from authenticator.device.state import ChallengeOutcome
from protocol.challenges import Claims
from schemas.contract import Purpose, Verdict
from tests.component.device.fake_services import FakeServices
from tests.polling import DEADLINE_SECONDS

QUICK: Final = Timing(first_pause_seconds=0.01, longest_pause_seconds=0.05)
"""A phone without pauses between retries."""


def has_opened(services: FakeServices, times: int) -> bool:
    """Return whether this number of sockets was opened."""
    return services.openings == times


async def next_request(phone: VirtualPhone) -> DeviceChallenge:
    """Wait for the next request that the phone shows."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await anext(phone.requests())


async def outcome_of(request: DeviceChallenge) -> ChallengeOutcome:
    """Wait until a request has ended, and return how."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await request.ended()


async def send_pairing(services: FakeServices, phone: VirtualPhone, **changes: object) -> DeviceChallenge:
    """Get a phrase, send the phone a pairing challenge, and return the request that the phone shows."""
    await phone.new_phrase()
    await services.ask(services.claims(phone.device_id, Purpose.PAIRING, **changes))
    return await next_request(phone)


async def pair(services: FakeServices, phone: VirtualPhone) -> None:
    """Pair the phone with account-1."""
    await phone.answer(await send_pairing(services, phone), Verdict.APPROVE)


async def send_challenge(services: FakeServices, phone: VirtualPhone) -> tuple[Claims, DeviceChallenge]:
    """Send a login challenge to the phone, and return its claims and the request that the phone shows."""
    claims = services.claims(phone.device_id, Purpose.LOGIN)
    await services.ask(claims)
    return claims, await next_request(phone)
