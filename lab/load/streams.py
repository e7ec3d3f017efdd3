"""Many open event streams from one process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp

from lab.load.people import Waiting

PER_ADDRESS: Final = 20_000
"""An address has some 28,000 ports for connections (net.ipv4.ip_local_port_range); each loopback one has its own."""
AT_ONCE: Final = 100


class StreamError(Exception):
    """A stream was refused, or ended. The text has the reason."""


@asynccontextmanager
async def open_streams(url: str, waiting: Sequence[Waiting]) -> AsyncIterator[None]:
    """Hold the event streams of browsers that wait open for as long as the context lasts.

    Args:
        url: The login service's URL, at 127.0.0.1.
        waiting: The browsers.

    Raises:
        StreamError: If one is refused.

    """
    async with AsyncExitStack() as stack:
        room = asyncio.Semaphore(AT_ONCE)

        async def follow(session: aiohttp.ClientSession, each: Waiting) -> aiohttp.ClientResponse:
            async with room:
                cookies = "; ".join(f"{name}={value}" for name, value in each.cookies.items())
                answer = await session.get(f"{url}{each.events}", headers={"Cookie": cookies})
            if answer.content_type != "text/event-stream":
                text = f"a stream was refused: {answer.status}"
                raise StreamError(text)
            return answer

        answers = []
        for place in range(0, len(waiting), PER_ADDRESS):
            address = f"127.0.0.{1 + place // PER_ADDRESS}"
            connector = aiohttp.TCPConnector(limit=0, local_addr=(address, 0))
            session = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=None)
            )
            await stack.enter_async_context(session)
            some = waiting[place : place + PER_ADDRESS]
            answers += await asyncio.gather(*(follow(session, each) for each in some))
        yield
        ended = sum(answer.content.at_eof() for answer in answers)
        if ended:
            text = f"{ended} of {len(answers)} streams ended while they should have waited"
            raise StreamError(text)
        for answer in answers:
            answer.close()
