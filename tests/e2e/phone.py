"""The person with the phone: what they do in the authenticator web app, and what they see there."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import aiohttp
from playwright.async_api import Locator, Page, expect

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.code_derivation import code_of
from authenticator.device.messages import IssuedPhrase
from authenticator.device.phone import VirtualPhone
from protocol.jose import PrivateKey
from protocol.signed_requests import sign_request
from protocol.verification_codes import STEP_SECONDS
from schemas.contract import Purpose, Verdict
from tests.e2e.browser_page import Person
from tests.polling import DEADLINE_SECONDS, eventually

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
        await self.answer("approve", "Approval sent")

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


class PocketPhone:
    """A phone without a screen, for tests of what the computer shows."""

    def __init__(self, virtual: VirtualPhone) -> None:
        self._virtual = virtual
        self._requests: AsyncIterator[DeviceChallenge] = virtual.requests()

    async def new_phrase(self) -> str:
        """Ask for a pairing phrase."""
        return (await self._virtual.new_phrase()).phrase

    async def accept_pairing(self) -> None:
        """Accept the pairing that is asked for."""
        await self.answer(Verdict.APPROVE, Purpose.PAIRING)

    async def approve(self, number: int) -> None:
        """Approve the next request, which must be a sign-in's, with the number that the computer shows."""
        await self.answer(Verdict.APPROVE, number=number)

    async def answer(self, verdict: Verdict, purpose: Purpose = Purpose.LOGIN, number: int | None = None) -> None:
        """Answer the next request, which must be of a kind; an approved sign-in needs a number."""
        await self._virtual.answer(await self.is_asked(purpose), verdict, number)

    def code(self, person: Person, steps_later: int = 0) -> str:
        """Return the code of a person's account, of now or of a later time step; one step later is taken as well."""
        account = next(each for each in self._virtual.store.read().accounts if each.account_name == person.name)
        at = self._virtual.clock.now() + timedelta(seconds=steps_later * STEP_SECONDS)
        return code_of(account, self._virtual.store.agreement, at).code

    async def forgets(self, person: Person) -> None:
        """Wait until it was told that it answers for a person no more."""
        store = self._virtual.store
        await eventually(lambda: person.name not in {each.account_name for each in store.read().accounts})

    async def is_asked(self, purpose: Purpose = Purpose.LOGIN) -> DeviceChallenge:
        """Wait for the next request, which must be of a kind."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            request = await anext(self._requests)
        assert request.claims.purpose is purpose, request.claims
        return request


async def issue_phrase(pairing_url: str, key: PrivateKey) -> IssuedPhrase:
    """Ask an instance of the pairing service for a phrase, as a device that need not be connected (protocol.md, 4)."""
    url = f"{pairing_url}/phrases"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{pairing_url}/nonce") as answer:
            nonce = answer.headers["Replay-Nonce"]
        signed = sign_request(key, url=url, nonce=nonce, at=datetime.now(UTC), payload={"device_name": NAME})
        async with session.post(url, data=signed, headers={"Content-Type": "application/jose"}) as answer:
            return IssuedPhrase.model_validate_json(await answer.text())
