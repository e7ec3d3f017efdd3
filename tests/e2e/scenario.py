"""Where a test plays: a running stack, a browser, and the people and phones of the test."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext

from deploy.local.stack import Stack
from lab.testkit.person import Visitor
from lab.testkit.phone import PocketPhone
from lab.testkit.text_browser import USER_AGENT, TextBrowser
from services.login.admin import Administration
from tests.accounts import let_see
from tests.chromium import PATIENCE_MILLISECONDS, forgo_service_worker
from tests.e2e import browser_page, phone
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.console_errors import ConsoleErrors
from tests.e2e.phone import Phone, WebPhone
from tests.polling import DEADLINE_SECONDS

PASSWORD: Final = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test's scene; all that it opened is closed with it.

    Attributes:
        stack: Kafka and the services.
        browser: The Chromium that all windows are of.
        accounts: The administrator.
        complaints: The windows' console errors.
        exits: What is closed at the end.

    """

    stack: Stack
    browser: Browser
    accounts: Administration
    complaints: ConsoleErrors = field(default_factory=ConsoleErrors)
    exits: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def a_person(self, *, with_email: bool = False) -> Credentials:
        """Make an account that nobody else has, perhaps with an e-mail address."""
        name = f"alex-{uuid.uuid4().hex[:8]}"
        person = Credentials(name, PASSWORD, f"{name}@example.org" if with_email else "")
        account = await self.accounts.add(person.name, person.password, email=person.email)
        for name, instance in self.stack.instances.items():
            if instance.service == "login":
                await let_see(self.stack.urls[name], self.stack.secrets, account)
        return person

    async def a_computer(self, instance: str = "login", **options: Any) -> BrowserPage:
        """Open a window of a new browser at an instance of the login service."""
        context = await self._browser("computer", browser_page.SIZE, user_agent=USER_AGENT, **options)
        return await self.a_window(context, instance)

    async def a_window(self, context: BrowserContext, instance: str = "login") -> BrowserPage:
        """Open one more window of a browser."""
        return BrowserPage(await context.new_page(), self.stack.urls[instance])

    async def a_phone(self, instance: str = "push", *, keeps_app: bool = False) -> WebPhone:
        """Take a new phone, with the app open, named and connected, and perhaps kept for offline use."""
        taken = await self.an_unnamed_phone(instance, keeps_app=keeps_app)
        await taken.start()
        return taken

    async def an_unnamed_phone(self, instance: str = "push", *, keeps_app: bool = False) -> WebPhone:
        """Take a new phone, with the app open for the first time, and perhaps kept for offline use."""
        context = await self._browser("phone", phone.SIZE)
        if not keeps_app:
            await forgo_service_worker(context)
        taken = WebPhone(await context.new_page(), self.stack.urls[instance])
        await taken.page.goto(taken.url)
        return taken

    async def a_pocket_phone(self, instance: str = "push", *, name: str = phone.NAME) -> PocketPhone:
        """Take a new phone without a screen."""
        phone = PocketPhone.in_memory(self.stack.urls[instance], name, patience_seconds=DEADLINE_SECONDS)
        return await self.exits.enter_async_context(phone)

    async def paired(self, phone: Phone) -> Credentials:
        """Make an account, and pair a phone with it."""
        person = await self.a_person()
        await self.pair(person, phone, await phone.new_phrase())
        return person

    async def signed_in(self, phone: Phone) -> tuple[Credentials, BrowserPage]:
        """Make an account, pair a phone with it, and open a window in a browser that is signed in with that phone."""
        person, computer = await self.a_person(), await self.a_computer()
        async with self._pairing(person, phone, await phone.new_phrase()) as visitor:
            await visitor.send_challenge()
            await phone.approve(visitor.browser.number or 0)
            await visitor.wait()
            visitor.is_signed_in()
            cookies = visitor.browser.cookies
        await computer.page.context.add_cookies(
            [{"name": name, "value": value, "url": computer.url} for name, value in cookies.items()]
        )
        await computer.open("/account")
        await computer.is_signed_in(person)
        return person, computer

    async def pair(self, person: Credentials, phone: Phone, phrase: str) -> None:
        """Pair the phone that shows a phrase with an account, in a browser that is closed afterwards."""
        async with self._pairing(person, phone, phrase) as visitor:
            await visitor.browser.submit("/cancel")

    @asynccontextmanager
    async def _pairing(self, person: Credentials, phone: Phone, phrase: str) -> AsyncIterator[Visitor]:
        """Pair a phone, and give the visitor at DEVICE PAIRING SUCCESSFUL."""
        async with TextBrowser(self.stack.urls["login"]) as browser:
            visitor = Visitor(person.name, person.password, browser, patience_seconds=DEADLINE_SECONDS)
            await visitor.enter_password()
            await visitor.enter_phrase(phrase)
            browser.expect("ACCEPT ON YOUR PHONE")
            await phone.accept_pairing()
            await visitor.wait()
            browser.expect("DEVICE PAIRING SUCCESSFUL")
            yield visitor

    async def _browser(self, who: str, size: tuple[int, int], **options: Any) -> BrowserContext:
        width, height = size
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        self.exits.push_async_callback(context.close)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.complaints.listen(context, who)
        return context
