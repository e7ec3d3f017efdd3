"""The requests that a phone shows: open ones, and how each of them ends."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final

from authenticator.device.errors import DeviceError, NumberError
from authenticator.device.state import ChallengeOutcome
from protocol.challenges import HIGHEST_NUMBER, LOWEST_NUMBER, Claims
from schemas.contract import Purpose, Verdict

MAX_OPEN: Final = 32
"""How many requests are shown at once; more are left aside, and come again with the next connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the person says to a request.

    Attributes:
        verdict: What they decided.
        number: The number that the browser shows, where an approval needs it.

    """

    verdict: Verdict
    number: int | None = field(default=None, repr=False)


@dataclass(eq=False, slots=True)
class DeviceChallenge:
    """A request that the person sees.

    Attributes:
        claims: What is asked.
        challenge: The challenge as it came.
        outcome: How it ended, None while it is open.
        in_hand: True while an answer is on its way: what the service says of the request then is about that answer.

    """

    claims: Claims
    challenge: str
    outcome: ChallengeOutcome | None = None
    in_hand: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def needs_number(self) -> bool:
        """Whether an approval must hold the number that the browser shows. A pairing's never does."""
        return self.claims.number_matching and self.claims.purpose is Purpose.LOGIN

    def reply(self, verdict: Verdict, number: int | None = None) -> Reply:
        """Return a reply to this request; a number that it does not need is left out.

        Raises:
            NumberError: If the number is needed and none of 10 to 99 is given.

        """
        if verdict is not Verdict.APPROVE or not self.needs_number:
            return Reply(verdict)
        if number is None or not LOWEST_NUMBER <= number <= HIGHEST_NUMBER:
            raise NumberError
        return Reply(verdict, number)

    async def ended(self) -> ChallengeOutcome:
        """Wait until it ended, and tell how."""
        await self._over.wait()
        return self.outcome or ChallengeOutcome.WITHDRAWN

    def end(self, outcome: ChallengeOutcome) -> None:
        """Note that it ended."""
        self.outcome = outcome
        self._over.set()


class DeviceChallenges:
    """The open requests, in the order in which they came."""

    def __init__(self) -> None:
        self._open: dict[str, DeviceChallenge] = {}
        self._arrived: asyncio.Queue[DeviceChallenge | DeviceError] = asyncio.Queue()

    def show(self, claims: Claims, challenge: str) -> DeviceChallenge | None:
        """Add a request.

        Returns:
            It, or None where as many are open already as a person can look at.

        """
        known = self._open.get(claims.jti)
        if known is not None or len(self._open) >= MAX_OPEN:
            return known
        request = self._open[claims.jti] = DeviceChallenge(claims, challenge)
        self._arrived.put_nowait(request)
        return request

    def end(self, challenge_id: str, outcome: ChallengeOutcome) -> DeviceChallenge | None:
        """End a request.

        Returns:
            It, or None if no such request is open.

        """
        request = self._open.pop(challenge_id, None)
        if request is not None:
            request.end(outcome)
        return request

    def find(self, challenge_id: str) -> DeviceChallenge | None:
        """Return an open request, or None."""
        return self._open.get(challenge_id)

    def of_account(self, issuer: str, account_id: str) -> list[str]:
        """Return the ids of the open login requests of an account."""
        asked = (request.claims for request in self._open.values())
        logins = (claims for claims in asked if claims.purpose is Purpose.LOGIN)
        return [claims.jti for claims in logins if (claims.iss, claims.account_id) == (issuer, account_id)]

    def ids(self) -> set[str]:
        """Return the ids of the open requests."""
        return set(self._open)

    def fail(self, error: DeviceError) -> None:
        """Tell whoever waits for requests that no more can come."""
        self._arrived.put_nowait(error)

    async def arrivals(self) -> AsyncIterator[DeviceChallenge]:
        """Give each request once; those that ended before anybody looked are passed over.

        Raises:
            DeviceError: When no more can come.

        """
        while True:
            arrived = await self._arrived.get()
            if isinstance(arrived, DeviceError):
                self._arrived.put_nowait(arrived)
                raise arrived
            if arrived.outcome is None:
                yield arrived
