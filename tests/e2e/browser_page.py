"""The person at the computer: what they do on Account Manager's pages, and what they see there."""

import re
from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.e2e.phone import Phone

SIZE: Final = (1280, 800)


@dataclass(frozen=True, slots=True)
class Credentials:
    """A person's account: its name, password and e-mail address."""

    name: str
    password: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class BrowserPage:
    """A browser window at an instance of the login service."""

    page: Page
    url: str

    async def open(self, path: str = "/") -> None:
        """Open a page."""
        await self.page.goto(f"{self.url}{path}")

    async def sign_in(self, person: Credentials, password: str | None = None) -> None:
        """Enter name and password, the person's own unless another one is given."""
        await self.open("/sign-in")
        await self.enter(person.name, person.password if password is None else password)

    async def enter(self, name: str, password: str) -> None:
        """Enter name and password on the page that is shown."""
        await self.part("name").fill(name)
        await self.part("password").fill(password)
        await self.press("submit")

    async def go_to_pairing(self, person: Credentials) -> None:
        """Sign in without a phone, and go on to PAIR A DEVICE."""
        await self.sign_in(person)
        await self.reads("CONNECT SALESFORCE AUTHENTICATOR")
        await self.press("submit")
        await self.reads("PAIR A DEVICE")

    async def connect_device(self, phrase: str) -> None:
        """Enter a phrase and click CONNECT DEVICE."""
        await self.part("phrase").fill(phrase)
        await self.press("connect-device")

    async def press(self, testid: str) -> None:
        """Click a button or a link."""
        await self.part(testid).click()

    async def use_code(self, code: str) -> None:
        """Go from the page that waits for the phone to the one for codes, and enter one there."""
        await self.press("use-code")
        await self.enter_code(code)

    async def enter_code(self, code: str) -> None:
        """Enter a code on the page that is shown."""
        await self.part("code").fill(code)
        await self.press("submit")

    async def change_password(self, old: str, new: str) -> None:
        """Change the password, on the page for that."""
        await self.part("old-password").fill(old)
        await self.part("new-password").fill(new)
        await self.press("submit")

    async def number(self) -> int:
        """Wait for the number that is to be entered on the phone; return it."""
        return int(await self.part("number").inner_text())

    def part(self, testid: str) -> Locator:
        """Return a part of the page."""
        return self.page.get_by_test_id(testid)

    async def reads(self, *headings: str) -> None:
        """Wait for the page with a heading, any of those given."""
        any_of = re.compile(f"^({'|'.join(map(re.escape, headings))})$")
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(any_of)

    async def shows_message(self, title: str, text: str = "") -> None:
        """Wait for a message: its title, and a part of its text."""
        await expect(self.part("notice-title")).to_have_text(title)
        await expect(self.part("notice-text")).to_contain_text(text)

    async def is_at(self, path: str) -> None:
        """Wait until the window is at an address."""
        await expect(self.page).to_have_url(re.compile(rf"^http://localhost:\d+{re.escape(path)}$"))

    async def is_signed_in(self, person: Credentials) -> None:
        """Wait for the person's account page."""
        await self.reads("YOUR ACCOUNT")
        await expect(self.part("account-name")).to_have_text(person.name)

    async def complete_sign_in(self, person: Credentials, phone: Phone) -> None:
        """Approve on a phone with the number that the page shows, and wait for the person's account page."""
        await phone.approve(await self.number())
        await self.is_signed_in(person)
