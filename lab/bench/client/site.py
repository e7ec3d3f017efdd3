"""Where seeded people sign in, and the people themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from authenticator.device.state import Account, State
from authenticator.device.store import MemoryStore
from lab.bench.client.measured_browser import MeasuredBrowser
from lab.load.seed_keys import DEVICE_NAME, Seed
from lab.testkit.person import Person
from lab.testkit.phone import PocketPhone
from services.common.clock import now

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Site:
    """A running stack, as people know it.

    Attributes:
        login_url: The login service's URL.
        push_url: The push service's URL.
        issuer: Who signs the challenges.
        keys: The thumbprints of the issuer's keys.
        prefix: What stands before the number in each seeded name.
        password: The password of all of them.

    """

    login_url: str
    push_url: str
    issuer: str
    keys: frozenset[str]
    prefix: str
    password: str

    def name(self, number: int) -> str:
        """Return a person's name."""
        return Seed(prefix=self.prefix).name(number)

    def seeded_phone(self, number: int) -> PocketPhone:
        """Return a person's paired phone; it connects when it is entered."""
        name = self.name(number)
        account = Account(
            account_id=name,
            account_name=name,
            service="Account Manager",
            issuer=self.issuer,
            keys=self.keys,
            paired_at=now(),
        )
        state = State(device_name=DEVICE_NAME, url=self.push_url, accounts=(account,))
        store = MemoryStore(state, Seed(prefix=self.prefix).key(name))
        return PocketPhone(store, patience_seconds=PATIENCE_SECONDS)

    def new_phone(self) -> PocketPhone:
        """Return a phone that is paired with no account."""
        return PocketPhone.in_memory(self.push_url, DEVICE_NAME, patience_seconds=PATIENCE_SECONDS)

    @asynccontextmanager
    async def person(self, number: int, phone: PocketPhone) -> AsyncIterator[tuple[Person, MeasuredBrowser]]:
        """Give a person at a new browser, which shows the page for the password."""
        async with MeasuredBrowser(self.login_url) as browser:
            browser.patience_seconds = PATIENCE_SECONDS
            await browser.open("/sign-in")
            yield Person(self.name(number), self.password, browser, phone, patience_seconds=PATIENCE_SECONDS), browser
