"""A phone in a person's hand: it shows phrases, and answers one challenge after the other."""

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.code_derivation import code_of
from authenticator.device.phone import VirtualPhone
from authenticator.device.retries import Timing
from authenticator.device.state import Account, State
from authenticator.device.store import MemoryStore, Store
from protocol.verification_codes import STEP_SECONDS
from schemas.contract import Purpose, Verdict

PATIENCE_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.02


class ChallengeError(Exception):
    """The phone shows another challenge than the person expects. The text says which."""


class PocketPhone:
    """A virtual phone with a hand at it. It is in touch with the push service while it is used as a context manager.

    Attributes:
        store: Its key and what it remembers.
        virtual: The phone itself, from its first connection on.
        patience_seconds: How long its owner waits for what it has to show.

    """

    virtual: VirtualPhone

    def __init__(
        self, store: Store, *, timing: Timing | None = None, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.store = store
        self.patience_seconds = patience_seconds
        self._timing = timing

    @classmethod
    def in_memory(
        cls, url: str, name: str, *, timing: Timing | None = None, patience_seconds: float = PATIENCE_SECONDS
    ) -> Self:
        """Make a new phone that is forgotten with this object.

        Args:
            url: The push service's origin.
            name: The phone's name.
            timing: How patient its connection is.
            patience_seconds: How long its owner waits for what it has to show.

        """
        store = MemoryStore(State(device_name=name, url=url))
        return cls(store, timing=timing, patience_seconds=patience_seconds)

    async def __aenter__(self) -> Self:
        """Switch it on."""
        self.virtual = VirtualPhone(self.store, timing=self._timing)
        await self.virtual.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch it off."""
        await self.virtual.__aexit__(kind, error, trace)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that it is paired with."""
        return self.store.read().accounts

    async def new_phrase(self) -> str:
        """Ask for a pairing phrase, and return it.

        Raises:
            DeviceError: If there is none to be had.

        """
        return (await self.virtual.new_phrase()).phrase

    async def challenge(self, purpose: Purpose = Purpose.LOGIN) -> DeviceChallenge:
        """Wait for the next challenge, and return it.

        Raises:
            ChallengeError: If it has another purpose.
            TimeoutError: If none comes in time.

        """
        async with asyncio.timeout(self.patience_seconds):
            challenge = await anext(self.virtual.requests())
        if challenge.claims.purpose is not purpose:
            message = f"the phone asks for a {challenge.claims.purpose}, not for a {purpose}"
            raise ChallengeError(message)
        return challenge

    async def answer(
        self, verdict: Verdict, purpose: Purpose = Purpose.LOGIN, number: int | None = None
    ) -> DeviceChallenge:
        """Answer the next challenge, and return it; an approved sign-in needs the number that the browser shows."""
        challenge = await self.challenge(purpose)
        await self.virtual.answer(challenge, verdict, number)
        return challenge

    async def accept_pairing(self) -> None:
        """Accept the pairing that comes next."""
        await self.answer(Verdict.APPROVE, Purpose.PAIRING)

    async def approve(self, number: int | None) -> None:
        """Approve the sign-in that comes next, with the number that the browser shows."""
        await self.answer(Verdict.APPROVE, number=number)

    def code(self, steps_later: int = 0, *, of: str = "") -> str:
        """Return a verification code.

        Args:
            steps_later: The code is of so many time steps of 30 s after now; the service takes the next one, too.
            of: The account's name; the first account unless one is given.

        """
        account = next(each for each in self.accounts if of in {"", each.account_name})
        at = self.virtual.clock.now() + timedelta(seconds=steps_later * STEP_SECONDS)
        return code_of(account, self.store.agreement, at).code

    async def forgets(self, account_name: str) -> None:
        """Wait until it is no longer paired with an account.

        Raises:
            TimeoutError: If it stays so.

        """
        async with asyncio.timeout(self.patience_seconds):
            while account_name in {each.account_name for each in self.accounts}:  # noqa: ASYNC110 - a store has no event
                await asyncio.sleep(LOOK_SECONDS)
