"""Where a test plays: a running stack, a browser, and the people and phones of the test."""

import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext

from deploy.local.stack import Stack
from lab.testkit.person import Visitor
from lab.testkit.phone import PocketPhone
from lab.testkit.text_browser import USER_AGENT, TextBrowser
from schemas.contract import Verdict
from services.login.admin import Administration
from tests.accounts import let_see
from tests.chromium import PATIENCE_MILLISECONDS, forgo_service_worker
from tests.e2e import browser_page, phone
from tests.e2e.browser_page import BrowserPage, Credentials
from tests.e2e.console_errors import ConsoleErrors
from tests.e2e.phone import Phone, WebPhone
from tests.polling import DEADLINE_SECONDS

PASSWORD: Final = "correct horse battery staple"
A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test's scenario; all that it opened is closed with it.

    Attributes:
        stack: Kafka and the services.
        browser: The Chromium that all windows are of.
        accounts: The administrator.
        console_errors: The windows' console errors.
        exits: What is closed at the end.

    """

    stack: Stack
    browser: Browser
    accounts: Administration
    console_errors: ConsoleErrors = field(default_factory=ConsoleErrors)
    exits: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def a_person(self, *, with_email: bool = False) -> Credentials:
        """Make an account of its own, perhaps with an e-mail address."""
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

    async def go_to_pairing(self, person: Credentials, computer: BrowserPage) -> None:
        """Sign in without a phone where that needs an administrator's code, and go on to PAIR A DEVICE."""
        await computer.sign_in(person)
        await computer.reads("ONE MORE STEP")
        await computer.enter_code(await self.accounts.invite(person.name, A_DAY))
        await computer.reads("CONNECT SALESFORCE AUTHENTICATOR")
        await computer.press("submit")
        await computer.reads("PAIR A DEVICE")

    async def a_visitor(self, person: Credentials) -> Visitor:
        """Open a text browser for a person, where Chromium is not what a test is about."""
        browser = await self.exits.enter_async_context(TextBrowser(self.stack.urls["login"]))
        return Visitor(person.name, person.password, browser, patience_seconds=DEADLINE_SECONDS)

    async def signed_in(self, phone: Phone, **wishes: str) -> tuple[Credentials, BrowserPage]:
        """Make an account, pair a phone with it, and open a window in a browser that is signed in with that phone."""
        person, computer = await self.a_person(), await self.a_computer()
        visitor = await self.a_visitor(person)
        await self._pair(visitor, phone, await phone.new_phrase(), **wishes)
        await visitor.send_challenge()
        await phone.approve(visitor.browser.number or 0)
        await visitor.wait()
        visitor.is_signed_in()
        await computer.page.context.add_cookies(
            [{"name": name, "value": value, "url": computer.url} for name, value in visitor.browser.cookies.items()]
        )
        await computer.open("/account")
        await computer.is_signed_in(person)
        return person, computer

    async def pair(self, person: Credentials, phone: Phone, phrase: str) -> None:
        """Pair the phone that shows a phrase with an account, in a browser that is closed afterwards."""
        visitor = await self.a_visitor(person)
        await self._pair(visitor, phone, phrase)
        await visitor.browser.press("cancel")

    async def deny_twice(self, person: Credentials, phone: PocketPhone) -> None:
        """Deny two sign-ins, after which requests to the phone are paused."""
        visitor = await self.a_visitor(person)
        for _ in range(2):
            await visitor.enter_password()
            await phone.answer(Verdict.DENY)
            await visitor.wait()

    async def replace_phone(self, person: Credentials, phone: Phone) -> None:
        """Sign in with a phone, pair another one, and remove the first."""
        visitor, other = await self.a_visitor(person), await self.a_pocket_phone(name="Other phone")
        await visitor.enter_password()
        await phone.approve(visitor.browser.number or 0)
        await visitor.wait()
        await visitor.browser.press("add-phone")
        await visitor.enter_phrase(await other.new_phrase())
        await other.accept_pairing()
        await visitor.wait()
        await visitor.browser.press("ok")
        await visitor.browser.press("remove")
        visitor.is_signed_in()

    async def _pair(self, visitor: Visitor, phone: Phone, phrase: str, **wishes: str) -> None:
        """Pair the phone that shows a phrase: the visitor is at DEVICE PAIRING SUCCESSFUL."""
        await visitor.enter_password(**wishes)
        if visitor.browser.path == "/enrol":
            await visitor.browser.submit("/enrol", code=await self.accounts.invite(visitor.name, A_DAY))
        await visitor.enter_phrase(phrase)
        visitor.browser.expect("ACCEPT ON YOUR PHONE")
        await phone.accept_pairing()
        await visitor.wait()
        visitor.browser.expect("DEVICE PAIRING SUCCESSFUL")

    async def _browser(self, who: str, size: tuple[int, int], **options: Any) -> BrowserContext:
        width, height = size
        context = await self.browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        self.exits.push_async_callback(context.close)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.console_errors.listen(context, who)
        return context
