"""People who sign in again and again, and log what they see."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

import aiohttp

from authenticator.device.errors import DeviceError
from lab.chaos.history import Attempt, ClientLog, Ending, Habit, Way
from lab.chaos.phones import HabitualPhone
from lab.testkit.page import PageError
from lab.testkit.person import Person
from lab.testkit.text_browser import GATEWAY_ERRORS, UNAVAILABLE, TextBrowser
from protocol.encoding import digest
from services.common.clock import now
from services.common.kafka.publisher import UnavailableError
from services.login.admin import AdminError, Administration
from services.login.web.cookies import LOGIN

PASSWORD: Final = "seventeen green umbrellas"  # noqa: S105 - of accounts that live for minutes
PATIENCE_SECONDS: Final = 150.0
WAIT_SECONDS: Final = 40.0
PAGE_SECONDS: Final = 5.0
PAUSE_SECONDS: Final = 0.5
SIGN_INS: Final = 4
"""After so many sign-ins a person goes on with a new account and a new phone."""
MOST_PASSWORDS: Final = 8
OVER: Final = {"/account": Ending.SIGNED_IN, "/ended": Ending.REFUSED}
AWAY: Final = GATEWAY_ERRORS | {UNAVAILABLE}
HABITS: Final = (*[Habit.APPROVE] * 8, Habit.DENY, Habit.TWICE, Habit.TWICE, Habit.LATE, Habit.DROP)
CODES: Final = 0.12
"""The share of sign-ins in which a code is entered instead of waiting for the phone."""
LOGGED_CHARACTERS: Final = 300
"""How much of the last page is logged."""


class Participant:
    """A person who signs in again and again, and logs how each attempt ends."""

    def __init__(  # noqa: PLR0913 - who, where, how often, and where it is logged
        self,
        *,
        number: int,
        urls: dict[str, str],
        accounts: Administration,
        history: ClientLog,
        random: Random,
        pause_seconds: float,
    ) -> None:
        """Keep who it is.

        Args:
            number: Which one of the people.
            urls: Where the services are.
            accounts: Makes accounts.
            history: The log of the attempts.
            random: Decides what is done.
            pause_seconds: How long it is on average from one sign-in to the next.

        """
        self._number = number
        self._urls = urls
        self._accounts = accounts
        self._history = history
        self._random = random
        self._pause_seconds = pause_seconds
        self._name = ""
        self._account_id = ""

    async def live(self, stopping: asyncio.Event) -> None:
        """Sign in again and again until the event is set, and finish what has been begun."""
        generation = 0
        while not stopping.is_set():
            generation += 1
            self._name = f"person-{self._number}-{generation}"
            if not await self._make_account(stopping):
                return
            async with HabitualPhone(self._urls["push"], f"Phone {self._number}", self._history) as phone:
                for _ in range(SIGN_INS):
                    await self._pause(stopping)
                    if stopping.is_set():
                        break
                    await self._sign_in(phone)

    async def _make_account(self, stopping: asyncio.Event) -> bool:
        while not stopping.is_set():
            try:
                await self._accounts.add(self._name, PASSWORD)
            except (AdminError, UnavailableError) as error:
                taken = "has the name" in str(error)  # an earlier try was
            else:
                taken = True
            if taken:
                directory = self._accounts.directory
                self._account_id = directory.account_id(directory.digest(self._name)) or ""
                return True
            await asyncio.sleep(PAUSE_SECONDS)
        return False

    async def _pause(self, stopping: asyncio.Event) -> None:
        seconds = self._random.uniform(0, 2 * self._pause_seconds)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), seconds)

    async def _sign_in(self, phone: HabitualPhone) -> None:
        by_code = bool(phone.accounts) and self._random.random() < CODES
        way = Way.CODE if by_code else Way.PUSH
        habit = Habit.IGNORE if by_code else self._random.choice(HABITS)
        phone.expect(habit)
        began = now()
        async with TextBrowser(self._urls["login"]) as browser:
            browser.patience_seconds = PAGE_SECONDS
            visit = _Visit(self._name, browser, phone, way)
            ending = await visit.finish()
            self._history.note(
                Attempt(
                    account_id=self._account_id,
                    way=way,
                    habit=habit,
                    login_digest=visit.login_digest,
                    began=began,
                    ended=now(),
                    ending=ending,
                    last_page=f"{browser.path} {browser.status} {browser.text}"[:LOGGED_CHARACTERS],
                )
            )
            with suppress(aiohttp.ClientError, TimeoutError):
                await browser.submit("/sign-out" if ending is Ending.SIGNED_IN else "/cancel")


class _Visit(Person):
    """One attempt to sign in: at each page, the person does what that page asks for."""

    phone: HabitualPhone

    def __init__(self, name: str, browser: TextBrowser, phone: HabitualPhone, way: Way) -> None:
        super().__init__(name, PASSWORD, browser, phone, patience_seconds=WAIT_SECONDS)
        self._way = way
        self._away = False
        self._passwords = 0
        self.login_digest = ""

    async def finish(self) -> Ending:
        """Go on until the sign-in is over, or patience ends."""
        ending = None
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while ending is None:
                    ending = await self._go_on()
        if ending is None:
            return Ending.UNAVAILABLE if self._away else Ending.UNCLEAR
        return ending

    async def _go_on(self) -> Ending | None:
        try:
            ending = await self._act()
        except (aiohttp.ClientError, DeviceError, PageError, TimeoutError) as error:
            self._away = not isinstance(error, PageError)
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(aiohttp.ClientError, TimeoutError):
                await self.browser.open("/")
            return None
        ticket = self.browser.cookies.get(LOGIN, "")
        if ticket:
            self.login_digest = digest(ticket.rpartition(".")[2].encode())
        return ending

    async def _act(self) -> Ending | None:
        browser = self.browser
        self._away = browser.status in AWAY
        if self._away:
            await asyncio.sleep(PAUSE_SECONDS)
            await browser.open("/")
            return None
        if browser.path in OVER:
            return OVER[browser.path]
        if browser.path == "/sign-in":
            return await self._try_password()
        if browser.path == "/code":
            return await self._try_code()
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "/connect": lambda: browser.open("/pair"),
            "/pair": self.enter_new_phrase,
            "/pair/wait": self.wait,
            "/pair/done": self.send_challenge,
            "/send": self._send_later,
            "/wait": self._await_answer,
            "/complete": lambda: browser.open("/complete"),
        }
        await steps.get(browser.path, lambda: browser.open("/sign-in"))()
        return None

    async def _try_password(self) -> Ending | None:
        if self._passwords:  # the account was made a moment ago, and is not known everywhere yet
            await asyncio.sleep(PAUSE_SECONDS)
        if self._passwords >= MOST_PASSWORDS:
            return Ending.REFUSED
        self._passwords += 1
        self.phone.forget_number()
        await self.enter_password()
        return None

    async def _try_code(self) -> Ending | None:
        await self.enter_code(self.phone.code())
        return Ending.REFUSED if self.browser.path == "/code" and self.browser.status not in AWAY else None

    async def _send_later(self) -> None:
        await asyncio.sleep(PAUSE_SECONDS)  # another challenge may be open for a moment
        await self.send_challenge()

    async def _await_answer(self) -> None:
        if self._way is Way.CODE:
            await self.browser.open("/code")
            return
        self.phone.show(self.browser.number)
        await self.wait()
