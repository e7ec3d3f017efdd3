"""Has many do the same again and again until a time, and notes how long each took."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import aiohttp
from aiokafka.errors import KafkaError

from authenticator.device.errors import DeviceError
from lab.testkit.page import PageError
from lab.testkit.phone import ChallengeError

ERRORS: Final = (
    aiohttp.ClientError,
    ChallengeError,
    ConnectionError,
    DeviceError,
    KafkaError,
    PageError,
    TimeoutError,
)
PAUSE_AFTER_ERROR_SECONDS: Final = 0.5
MOST_ERRORS: Final = 20
"""A worker's tries that may fail in a row; then it gives up."""


class NoMoreError(Exception):
    """There is none left who could do it."""


@dataclass(frozen=True, slots=True)
class Window:
    """When what is done counts, by time.monotonic, which all processes of a machine share.

    Attributes:
        counts_from: What ends before is a warm-up.
        until: No further one begins then, and what ends later does not count.

    """

    counts_from: float
    until: float


@dataclass(slots=True)
class Samples:
    """What was done.

    Attributes:
        ended: When each ended, by time.monotonic.
        seconds: How long each took.
        requests: The HTTP requests of all of them.
        errors: The text of each one that failed.

    """

    ended: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    requests: int = 0
    errors: list[str] = field(default_factory=list)

    def add(self, ended: float, seconds: float, requests: int) -> None:
        """Note one more."""
        self.ended.append(ended)
        self.seconds.append(seconds)
        self.requests += requests


class Job(Protocol):
    """Something that a client process does."""

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Prepare, wait for the start, do it, and return what was done.

        Args:
            begin: Says that all is prepared; returns when it begins, with when it counts.

        """


async def drive(at_once: int, window: Window, act: Callable[[Samples], Awaitable[None]]) -> Samples:
    """Do something until the window ends.

    Args:
        at_once: By how many at a time; each begins anew when it is done.
        window: When it ends.
        act: Does it once, and adds it to the samples. `NoMoreError` ends its worker.

    """
    samples = Samples()

    async def work() -> None:
        failed = 0
        while time.monotonic() < window.until and failed < MOST_ERRORS:
            try:
                await act(samples)
            except NoMoreError:
                return
            except ERRORS as error:
                failed += 1
                samples.errors.append(f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)
            else:
                failed = 0

    await asyncio.gather(*(work() for _ in range(at_once)))
    return samples
