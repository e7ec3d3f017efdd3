"""The loop of the command `wait`: shows requests and answers them."""

import asyncio
from collections.abc import Awaitable, Callable

from authenticator.device.challenges import DeviceChallenge, Reply
from authenticator.device.errors import DeviceError
from authenticator.device.phone import VirtualPhone
from authenticator.device.terminal import Screen
from schemas.contract import Verdict

Decide = Callable[[DeviceChallenge], Awaitable[Reply | None]]
"""Returns the reply to a request, or None if the request ended first."""


def always(verdict: Verdict, number: int | None = None) -> Decide:
    """Give the same verdict to each request.

    The number serves one request that needs it. A further one, or one without a number, raises a NumberError.
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
    """Show and answer requests, until so many are answered or the time is over; return the number of answers.

    Raises:
        NumberError: If ``decide`` approves a request without the number that it needs; no answer is sent.

    """
    answered = 0
    try:
        async with asyncio.timeout(timeout_seconds):
            async for request in phone.requests():
                answered += await _answer(phone, screen, decide, request)
                if answered == count:
                    break
    except TimeoutError:
        screen.emit("timeout", f"Stopped after {timeout_seconds:g} s.", answered=answered)
    return answered


async def _answer(phone: VirtualPhone, screen: Screen, decide: Decide, request: DeviceChallenge) -> bool:
    screen.request(request)
    reply = await decide(request)
    if reply is None:
        screen.ended(request, await request.ended())
        return False
    try:
        answered = await phone.answer(request, reply.verdict, reply.number)
    except DeviceError as error:
        screen.answer_failed(request, error)
        return False
    screen.answered(request, reply.verdict, answered)
    return True
