"""Waits for requests and answers them, as the person or an option says."""

import asyncio
from collections.abc import Awaitable, Callable

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.errors import DeviceError
from authenticator.device.phone import VirtualPhone
from authenticator.device.terminal import Screen
from schemas.contract import Verdict

Decide = Callable[[DeviceChallenge], Awaitable[Reply | None]]
"""Gives the reply to a request, or None if it ended before."""


def always(verdict: Verdict, number: int | None = None) -> Decide:
    """Decide each request alike.

    Args:
        verdict: The verdict.
        number: The number that the browser shows for the one request that needs it; the next such request raises a
            NumberError, as does the first where there is none.

    """

    async def decide(request: DeviceChallenge) -> Reply:
        nonlocal number
        reply = request.reply(verdict, number)
        number = None if reply.number is not None else number
        return reply

    return decide


async def answer_requests(
    phone: VirtualPhone, screen: Screen, decide: Decide, *, count: int | None, timeout_seconds: float | None
) -> int:
    """Show requests and answer them.

    Args:
        phone: The phone.
        screen: Where they are shown.
        decide: Gives the replies.
        count: After how many answers to stop, or None.
        timeout_seconds: After how long to stop, or None.

    Returns:
        How many were answered.

    Raises:
        NumberError: If ``decide`` approves a request without the number that it needs; nothing was sent then.

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


async def _answer(phone: VirtualPhone, screen: Screen, decide: Decide, request: DeviceChallenge) -> bool:
    screen.request(request)
    reply = await decide(request)
    if reply is None:
        screen.ended(request, await request.ended())
        return False
    try:
        at = await phone.answer(request, reply.verdict, reply.number)
    except DeviceError as error:
        screen.not_taken(request, error)
        return False
    screen.answered(request, reply.verdict, at)
    return True
