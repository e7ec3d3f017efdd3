"""Seeded people who sign in: with a browser that waits, and with a phone that approves."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from authenticator.device.phone import VirtualPhone
from authenticator.device.state import Account, State
from authenticator.device.store import MemoryStore
from deploy.local.stack import Stack
from lab.load.seed_keys import DEVICE_NAME, Seed
from lab.testkit.text_browser import TextBrowser
from schemas.contract import Verdict
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
        """Have somebody enter name and password, and leave the browser where it waits for the phone.

        Returns:
            The browser, or None if another sign-in of theirs waits for the phone already.

        Raises:
            PageError: If it is led anywhere else.

        """
        async with TextBrowser(self.stack.urls["login"]) as browser:
            browser.patience_seconds = PATIENCE_SECONDS
            await self._enter_password(browser, number)
            if browser.path == OTHER_WAITS:
                return None
            browser.expect(WAITING)
            return Waiting(browser.events, browser.cookies)

    async def sign_in(self, number: int) -> float:
        """Have somebody sign in with the password and the phone, which is connected already.

        Returns:
            The seconds from the password to the account's page.

        """
        async with TextBrowser(self.stack.urls["login"]) as browser, self._phone(number) as phone:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await phone.connected()
                await browser.open("/sign-in")
                started = time.perf_counter()
                await self._enter_password(browser, number)
                browser.expect(WAITING)
                async for request in phone.requests():
                    await phone.answer(request, Verdict.APPROVE, number=browser.number)
                    break
                await browser.wait(PATIENCE_SECONDS)
                browser.expect("YOUR ACCOUNT")
                return time.perf_counter() - started

    async def _enter_password(self, browser: TextBrowser, number: int) -> None:
        if browser.path != "/sign-in":
            await browser.open("/sign-in")
        await browser.submit("/sign-in", name=self.seed.name(number), password=self.password)

    @asynccontextmanager
    async def _phone(self, number: int) -> AsyncIterator[VirtualPhone]:
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
        async with VirtualPhone(MemoryStore(state, self.seed.key(name))) as phone:
            yield phone
