"""What people do: sign in by push, pair a phone, sign in by a code, hold a phone that waits."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from lab.bench.client.driving import ERRORS, NoMoreError, Samples, Window, drive
from lab.bench.client.measured_browser import MeasuredBrowser
from lab.bench.client.site import PATIENCE_SECONDS, Site
from lab.testkit.phone import PocketPhone

CONNECT_AT_ONCE: Final = 16
ANSWER_REQUESTS: Final = 1
"""A phone's answer is one request: the answer before brought its nonce."""
CODES_OF_A_PERSON: Final = 2
"""A code is used once, and the next time step's is taken as well."""


@dataclass(frozen=True, slots=True)
class PushLogins:
    """People with seeded phones sign in, from the password's POST to the session's cookie.

    Attributes:
        site: Where.
        people: The numbers of the people.
        at_once: How many at a time.

    """

    site: Site
    people: range
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Connect the phones, and then sign in again and again, each person once at a time."""
        async with connected_phones(self.site, self.people) as phones:
            window, free = await begin(), deque(phones.items())

            async def sign_in(samples: Samples) -> None:
                number, phone = free.popleft()
                try:
                    async with self.site.person(number, phone) as (person, browser), cancelling(browser):
                        started = time.monotonic()
                        await person.sign_in()
                        ended = browser.signed_in_at
                        samples.add(ended, ended - started, browser.requests + ANSWER_REQUESTS)
                finally:
                    free.append((number, phone))

            return await drive(self.at_once, window, sign_in)


@dataclass(frozen=True, slots=True)
class Pairings:
    """People without a phone pair one, from the phrase to DEVICE PAIRING SUCCESSFUL. Each does it once.

    Attributes:
        site: Where.
        people: The numbers of the people.
        at_once: How many at a time.

    """

    site: Site
    people: range
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Pair one phone after the other."""
        window, numbers = await begin(), iter(self.people)

        async def pair(samples: Samples) -> None:
            number = next(numbers, None)
            if number is None:
                raise NoMoreError
            seconds, requests, _phone = await _pair(self.site, number)
            samples.add(time.monotonic(), seconds, requests)

        return await drive(self.at_once, window, pair)


@dataclass(frozen=True, slots=True)
class CodeLogins:
    """People sign in by a code from their phone, from the code's POST to the session's cookie.

    Attributes:
        site: Where.
        people: The numbers of the people, who have no phone before this.
        at_once: How many at a time.

    """

    site: Site
    people: range
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Pair the phones, and then sign in, each person twice."""
        numbers, paired = iter(self.people), list[tuple[int, PocketPhone]]()

        async def pair_some() -> None:
            for number in numbers:
                paired.append((number, (await _pair(self.site, number))[2]))

        await asyncio.gather(*(pair_some() for _ in range(CONNECT_AT_ONCE)))
        window = await begin()
        turns = iter([(each, step) for step in range(CODES_OF_A_PERSON) for each in paired])

        async def enter_code(samples: Samples) -> None:
            turn = next(turns, None)
            if turn is None:
                raise NoMoreError
            (number, phone), step = turn
            async with self.site.person(number, phone) as (person, browser):
                await person.enter_password()
                await browser.open("/code")
                code = phone.code(step)
                started = time.monotonic()
                await person.enter_code(code)
                person.is_signed_in()
                samples.add(browser.signed_in_at, browser.signed_in_at - started, browser.requests)

        return await drive(self.at_once, window, enter_code)


@dataclass(frozen=True, slots=True)
class PhonesThatWait:
    """Phones stay connected; then each gets a challenge, from the password's POST until the phone shows it.

    Attributes:
        site: Where.
        people: The numbers of the people.
        at_once: How many passwords are entered at a time.

    """

    site: Site
    people: range
    at_once: int

    async def run(self, begin: Callable[[], Awaitable[Window]]) -> Samples:
        """Connect the phones, wait for the start, and have each asked once."""
        async with connected_phones(self.site, self.people) as phones:
            window, turns = await begin(), iter(phones.items())

            async def ask(samples: Samples) -> None:
                number, phone = next(turns, (None, None))
                if number is None or phone is None:
                    raise NoMoreError
                async with self.site.person(number, phone) as (person, browser):
                    started = time.monotonic()
                    shown = asyncio.create_task(_shown(phone))
                    await person.enter_password()
                    ended = await shown
                    samples.add(ended, ended - started, browser.requests)

            return await drive(self.at_once, window, ask)


@asynccontextmanager
async def cancelling(browser: MeasuredBrowser) -> AsyncIterator[None]:
    """Cancel a login that fails, so that its challenge does not wait when the same person signs in again."""
    try:
        yield
    except ERRORS:
        with suppress(*ERRORS):
            await browser.submit("/cancel")
        raise


@asynccontextmanager
async def connected_phones(site: Site, people: Iterable[int]) -> AsyncIterator[dict[int, PocketPhone]]:
    """Give the phones of people, each connected."""
    phones: dict[int, PocketPhone] = {}
    async with AsyncExitStack() as stack:
        numbers = iter(people)

        async def connect_some() -> None:
            for number in numbers:
                phone = await stack.enter_async_context(site.seeded_phone(number))
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await phone.virtual.connected()
                phones[number] = phone

        await asyncio.gather(*(connect_some() for _ in range(CONNECT_AT_ONCE)))
        yield phones


async def _pair(site: Site, number: int) -> tuple[float, int, PocketPhone]:
    """Return how long it took, the browser's requests, and the phone, which is switched off again."""
    async with site.new_phone() as phone, site.person(number, phone) as (person, browser):
        await person.enter_password()
        await phone.virtual.connected()
        started = time.monotonic()
        await person.pair()
        return time.monotonic() - started, browser.requests, phone


async def _shown(phone: PocketPhone) -> float:
    await phone.challenge()
    return time.monotonic()
