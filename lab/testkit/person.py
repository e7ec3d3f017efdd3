"""A person who signs in: the steps at the browser and on the phone, for each program that plays a person."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

from lab.testkit.page import PageError
from lab.testkit.phone import PATIENCE_SECONDS, PocketPhone
from lab.testkit.text_browser import TextBrowser
from schemas.contract import Purpose, Verdict

ACCOUNT: Final = "/account"


class Visitor:
    """A person at a browser. Each step leaves the browser on the page that follows.

    Attributes:
        name: The account's name.
        password: Its password.
        browser: The browser.
        patience_seconds: How long the person looks at a page that waits.

    """

    def __init__(
        self, name: str, password: str, browser: TextBrowser, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.name = name
        self.password = password
        self.browser = browser
        self.patience_seconds = patience_seconds

    async def enter_password(self, password: str | None = None, **fields: str) -> None:
        """Enter name and password.

        Args:
            password: Another password than the account's.
            fields: Further fields of the form, such as ``remember``.

        """
        if self.browser.path != "/sign-in":
            await self.browser.open("/sign-in")
        entered = self.password if password is None else password
        await self.browser.submit("/sign-in", name=self.name, password=entered, **fields)

    async def enter_phrase(self, phrase: str) -> None:
        """Enter a pairing phrase."""
        if self.browser.path != "/pair":
            await self.browser.open("/pair")
        await self.browser.submit("/pair", phrase=phrase)

    async def send_challenge(self, **fields: str) -> None:
        """Have the phone asked: OK after a pairing, or the button of the page that waits to send."""
        await self.browser.submit("/challenge", **fields)

    async def enter_code(self, code: str) -> None:
        """Enter a verification code or a recovery code instead of waiting for the phone."""
        if self.browser.path != "/code":
            await self.browser.open("/code")
        await self.browser.submit("/code", code=code)

    async def wait(self) -> None:
        """Look at a page that waits until it goes on.

        Raises:
            PageError: If it does not in time.

        """
        await self.browser.wait(self.patience_seconds)

    async def sign_out(self) -> None:
        """Sign out."""
        await self.browser.submit("/sign-out")

    def is_signed_in(self) -> None:
        """Check that the account's page is shown.

        Raises:
            PageError: If another one is.

        """
        if self.browser.path != ACCOUNT:
            message = f"not signed in ({self.browser.status}, {self.browser.path}): {self.browser.text}"
            raise PageError(message)

    @asynccontextmanager
    async def in_another_browser(self) -> AsyncIterator["Visitor"]:
        """Give the same person at a further browser, which knows nothing of the first."""
        async with TextBrowser(self.browser.url) as browser:
            yield Visitor(self.name, self.password, browser, patience_seconds=self.patience_seconds)


class Person(Visitor):
    """A person at a browser, with a phone.

    Attributes:
        phone: The phone.
        phrases: The phrases that it showed.

    """

    def __init__(
        self,
        name: str,
        password: str,
        browser: TextBrowser,
        phone: PocketPhone,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        super().__init__(name, password, browser, patience_seconds=patience_seconds)
        self.phone = phone
        self.phrases: list[str] = []

    @classmethod
    @asynccontextmanager
    async def at(  # noqa: PLR0913 - who, where, with what phone
        cls,
        login_url: str,
        push_url: str,
        name: str,
        password: str,
        *,
        phone_name: str = "Virtual phone",
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> AsyncIterator[Self]:
        """Give a person with a new browser and a new phone.

        Args:
            login_url: The login service's URL.
            push_url: The push service's URL.
            name: The account's name.
            password: Its password.
            phone_name: The phone's name.
            patience_seconds: How long the person waits for a page or for the phone.

        """
        pocket = PocketPhone.in_memory(push_url, phone_name, patience_seconds=patience_seconds)
        async with TextBrowser(login_url) as browser, pocket as phone:
            yield cls(name, password, browser, phone, patience_seconds=patience_seconds)

    async def enter_new_phrase(self) -> None:
        """Have the phone show a phrase and enter it: the browser waits for the phone."""
        self.phrases.append(await self.phone.new_phrase())
        await self.enter_phrase(self.phrases[-1])

    async def pair(self) -> None:
        """Pair the phone: the browser is at DEVICE PAIRING SUCCESSFUL."""
        await self.enter_new_phrase()
        await self.phone.accept_pairing()
        await self.wait()
        self.browser.expect("DEVICE PAIRING SUCCESSFUL")

    async def approve(self) -> None:
        """Approve on the phone, with the number that the browser shows: the browser is at the account's page."""
        await self.answer(Verdict.APPROVE)
        self.is_signed_in()

    async def deny(self) -> None:
        """Deny on the phone: the browser is at the page that says so."""
        await self.answer(Verdict.DENY)

    async def report(self) -> None:
        """Answer "It wasn't me" on the phone: the browser is at the page that says so."""
        await self.answer(Verdict.REPORT)

    async def answer(self, verdict: Verdict, purpose: Purpose = Purpose.LOGIN) -> None:
        """Answer the next challenge on the phone, and follow the browser to where that leads."""
        await self.phone.answer(verdict, purpose, self.browser.number)
        if self.browser.events:
            await self.wait()

    async def sign_in(self) -> None:
        """Enter the password, and approve on the paired phone: the browser is at the account's page."""
        await self.enter_password()
        await self.approve()

    async def first_sign_in(self) -> None:
        """Enter the password, pair the phone, and approve on it: the browser is at the account's page."""
        await self.enter_password()
        await self.pair()
        await self.send_challenge()
        await self.approve()
