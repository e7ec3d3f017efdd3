"""The person with the phone: what they do in the authenticator web app, and what they see there."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import aiohttp
from playwright.async_api import Locator, Page, expect

from authenticator.device.messages import IssuedPhrase
from protocol.jose import PrivateKey
from protocol.signed_requests import sign_request

SIZE: Final = (390, 844)
NAME: Final = "Pixel 9"


class Phone(Protocol):
    """Any phone, seen or not, in the hands of a person who is glad to approve."""

    async def new_phrase(self) -> str:
        """Ask for a pairing phrase."""

    async def accept_pairing(self) -> None:
        """Accept the pairing that is asked for."""

    async def approve(self, number: int) -> None:
        """Approve the sign-in that is asked for, with the number that the computer shows."""


@dataclass(frozen=True, slots=True)
class WebPhone:
    """A phone with the web app open in one window.

    Attributes:
        page: The window.
        url: The instance of the push service that it is at.

    """

    page: Page
    url: str

    async def start(self, name: str = NAME) -> None:
        """Name the phone, in the app that is open for the first time."""
        await self.part("device-name").fill(name)
        await self.press("continue")
        await self.is_connected()

    async def new_phrase(self) -> str:
        """Tap + New Account; return the phrase that it shows."""
        await self.page.get_by_role("button", name="+ New Account").click()
        await expect(self.part("phrase")).to_be_visible()
        return await self.part("phrase").inner_text()

    async def accept_pairing(self) -> None:
        """Accept the pairing that is asked for, and put the result away."""
        await self.answer("accept", "Account connected")

    async def answer(self, button: str, result: str) -> None:
        """Answer the request that is shown, read how it ended, and put that away."""
        await self.press(button)
        await self.reads(result)
        await self.press("done")

    async def approve(self, number: int) -> None:
        """Approve the sign-in that is shown, with the number that the computer shows; put the result away."""
        await self.part("number").fill(str(number))
        await self.answer("approve", "Sign-in approved")

    async def code(self) -> str:
        """Read the verification code of the one account that it has."""
        digits = self.part("code").locator(".digits")
        await expect(digits).to_have_text(re.compile(r"\d{3}\s\d{3}"))
        return re.sub(r"\s", "", await digits.inner_text())

    async def press(self, testid: str) -> None:
        """Tap a button."""
        await self.part(testid).click()

    def part(self, testid: str) -> Locator:
        """Return a part of the screen."""
        return self.page.get_by_test_id(testid)

    async def reads(self, heading: str) -> None:
        """Wait for the screen with a heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    async def is_connected(self) -> None:
        """Wait until the push service can reach it."""
        await expect(self.part("connection")).to_have_text("Connected")


async def issue_phrase(pairing_url: str, key: PrivateKey) -> IssuedPhrase:
    """Ask an instance of the pairing service for a phrase, as a device that need not be connected (protocol.md, 4)."""
    url = f"{pairing_url}/phrases"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{pairing_url}/nonce") as response:
            nonce = response.headers["Replay-Nonce"]
        signed = sign_request(key, url=url, nonce=nonce, at=datetime.now(UTC), payload={"device_name": NAME})
        async with session.post(url, data=signed, headers={"Content-Type": "application/jose"}) as response:
            return IssuedPhrase.model_validate_json(await response.text())
