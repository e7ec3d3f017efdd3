"""Waits for requests and answers them, as the person or an option says."""

import asyncio
from collections.abc import Awaitable, Callable

from authenticator.device.errors import DeviceError
from authenticator.device.phone import VirtualPhone
from authenticator.device.requests import Request
from authenticator.device.terminal import Screen
from schemas.contract import Verdict

Decide = Callable[[Request], Awaitable[Verdict | None]]
"""Gives the verdict on a request, or None if it ended before."""


def always(verdict: Verdict) -> Decide:
    """Decide each request alike."""

    async def decide(_request: Request) -> Verdict:
        return verdict

    return decide


async def answer_requests(
    phone: VirtualPhone, screen: Screen, decide: Decide, *, count: int | None, timeout_seconds: float | None
) -> int:
    """Show requests and answer them.

    Args:
        phone: The phone.
        screen: Where they are shown.
        decide: Gives the verdicts.
        count: After how many answers to stop, or None.
        timeout_seconds: After how long to stop, or None.

    Returns:
        How many were answered.

    """
    answered = 0
    try:
        async with asyncio.timeout(timeout_seconds):
            async for request in phone.requests():
                answered += await _answer(phone, screen, decide, request)
                if answered == count:
                    break
    except TimeoutError:
        screen.say("timeout", f"No more waiting after {timeout_seconds:g} s.", answered=answered)
    return answered


async def _answer(phone: VirtualPhone, screen: Screen, decide: Decide, request: Request) -> bool:
    screen.request(request)
    verdict = await decide(request)
    if verdict is None:
        screen.ended(request, await request.ended())
        return False
    try:
        at = await phone.answer(request, verdict)
    except DeviceError as error:
        screen.not_taken(request, error)
        return False
    screen.answered(request, verdict, at)
    return True
