"""A person with a computer and a phone on the whole stack, without a browser's weight."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from authenticator.device.phone import VirtualPhone
from deploy.local.stack import Stack
from lab.testkit.text_browser import TextBrowser
from schemas.contract import Verdict
from services.login.admin import administration
from tests.accounts import add_account
from tests.polling import DEADLINE_SECONDS

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """Somebody with an account.

    Attributes:
        name: The account's name.
        browser: The browser at the computer.
        phone: The phone.
        phrases: The phrases that the phone showed.

    """

    name: str
    browser: TextBrowser
    phone: VirtualPhone
    phrases: list[str]

    async def enter_password(self, password: str = PASSWORD) -> None:
        """Sign in with name and password."""
        await self.browser.open("/sign-in")
        await self.browser.submit("/sign-in", name=self.name, password=password)

    async def answer(self, verdict: Verdict = Verdict.APPROVE, number: int | None = None) -> None:
        """Answer the next request on the phone."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for request in self.phone.requests():
                await self.phone.answer(request, verdict, number=number)
                return

    async def enter_phrase(self) -> None:
        """Have the phone show a phrase and enter it: the page waits for the phone."""
        await self.browser.open("/pair")
        self.phrases.append((await self.phone.new_phrase()).phrase)
        await self.browser.submit("/pair", phrase=self.phrases[-1])

    async def pair(self) -> None:
        """Pair the phone: the browser is at DEVICE PAIRING SUCCESSFUL."""
        await self.enter_phrase()
        await self.answer()
        await self.browser.wait(DEADLINE_SECONDS)
        self.browser.expect("DEVICE PAIRING SUCCESSFUL")

    async def approve(self) -> None:
        """Approve on the phone: the browser is at the account page."""
        await self.answer(number=self.browser.number)
        if self.browser.path == "/wait":
            await self.browser.wait(DEADLINE_SECONDS)
        assert self.browser.path == "/account", self.browser.text


@asynccontextmanager
async def a_person(stack: Stack, computer: str = "login", phone: str = "push") -> AsyncIterator[Person]:
    """Give somebody with a new account and an unpaired phone, at these instances."""
    name = f"p{uuid.uuid4().hex[:8]}"
    async with administration(stack.bootstrap, stack.topic_prefix) as accounts:
        await add_account(accounts, stack.urls[computer], stack.secrets, name, PASSWORD)
    async with (
        TextBrowser(stack.urls[computer]) as browser,
        VirtualPhone.in_memory(stack.urls[phone], "Phone of the whole") as pocket,
    ):
        yield Person(name, browser, pocket, [])
