"""Seeded people who sign in: with a browser that waits, or with a phone that approves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from authenticator.device.state import Account, State
from authenticator.device.store import MemoryStore
from deploy.local.stack import Stack
from lab.load.seed_keys import DEVICE_NAME, Seed
from lab.testkit.person import Person, Visitor
from lab.testkit.phone import PocketPhone
from lab.testkit.text_browser import TextBrowser
from services.common.clock import now
from services.common.keys.keys import load_signing_keys

PATIENCE_SECONDS: Final = 120.0
WAITING: Final = "CHECK YOUR PHONE"
OTHER_WAITS: Final = "/send"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A browser that waits for a phone, as far as its event stream needs it.

    Attributes:
        events: The path of the stream.
        cookies: The browser's cookies by name.

    """

    events: str
    cookies: dict[str, str]


@dataclass(frozen=True, slots=True)
class People:
    """The people of a seed, at a running stack.

    Attributes:
        stack: The stack.
        seed: What their names and keys follow from.
        password: The password of all of them.

    """

    stack: Stack
    seed: Seed
    password: str

    async def begin(self, number: int) -> Waiting | None:
        """Enter a person's name and password, and leave the browser where it waits for the phone.

        Returns:
            The browser, or None if another sign-in of that person waits for the phone already.

        Raises:
            PageError: If the browser gets another page.

        """
        async with self._browser() as browser:
            await Visitor(self.seed.name(number), self.password, browser).enter_password()
            if browser.path == OTHER_WAITS:
                return None
            browser.expect(WAITING)
            return Waiting(browser.events, browser.cookies)

    async def sign_in(self, number: int) -> float:
        """Sign a person in with the password and the phone, which is connected already.

        Returns:
            The seconds from the password to the account's page.

        """
        async with self._browser() as browser, self._phone(number) as phone, asyncio.timeout(PATIENCE_SECONDS):
            await phone.virtual.connected()
            await browser.open("/sign-in")
            person = Person(self.seed.name(number), self.password, browser, phone, patience_seconds=PATIENCE_SECONDS)
            started = time.perf_counter()
            await person.sign_in()
            return time.perf_counter() - started

    @asynccontextmanager
    async def _browser(self) -> AsyncIterator[TextBrowser]:
        async with TextBrowser(self.stack.urls["login"]) as browser:
            browser.patience_seconds = PATIENCE_SECONDS
            yield browser

    def _phone(self, number: int) -> PocketPhone:
        name, login = self.seed.name(number), self.stack.environment("login")
        account = Account(
            account_id=name,
            account_name=name,
            service="Account Manager",
            issuer=login["LOGIN_ISSUER"],
            keys=load_signing_keys(self.stack.secrets, "login").thumbprints,
            paired_at=now(),
        )
        state = State(device_name=DEVICE_NAME, url=self.stack.urls["push"], accounts=(account,))
        return PocketPhone(MemoryStore(state, self.seed.key(name)), patience_seconds=PATIENCE_SECONDS)
