"""The open requests of a phone, and their outcomes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from authenticator.device.errors import DeviceError, NumberError
from authenticator.device.state import ChallengeOutcome
from protocol.challenges import HIGHEST_NUMBER, LOWEST_NUMBER, Claims
from schemas.contract import Purpose, Verdict

MAX_OPEN: Final = 32
"""Most open requests; further ones are ignored, and sent again on the next connection."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A person's reply to a request.

    Attributes:
        verdict: The verdict.
        number: The number that the browser shows, if the approval needs it.

    """

    verdict: Verdict
    number: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that counts.

    Attributes:
        at: When the service received it.
        outcome: How the request ended.

    """

    at: datetime
    outcome: ChallengeOutcome


@dataclass(eq=False, slots=True)
class DeviceChallenge:
    """A request that is shown to the person.

    Attributes:
        claims: The challenge's claims.
        challenge: The challenge's compact JWS.
        outcome: How it ended; None while it is open.
        answer_pending: True while an answer is being sent; the service's news on the request are about that answer.

    """

    claims: Claims
    challenge: str
    outcome: ChallengeOutcome | None = None
    answer_pending: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def needs_number(self) -> bool:
        """Whether an approval needs the number that the browser shows. A pairing never does."""
        return self.claims.number_matching and self.claims.purpose is Purpose.LOGIN

    def reply(self, verdict: Verdict, number: int | None = None) -> Reply:
        """Return a reply to this request, without a number that it does not need.

        Raises:
            NumberError: If the request needs a number from 10 to 99 and there is none.

        """
        if verdict is not Verdict.APPROVE or not self.needs_number:
            return Reply(verdict)
        if number is None or not LOWEST_NUMBER <= number <= HIGHEST_NUMBER:
            raise NumberError
        return Reply(verdict, number)

    async def ended(self) -> ChallengeOutcome:
        """Wait until the request has ended, and return how."""
        await self._over.wait()
        return self.outcome or ChallengeOutcome.WITHDRAWN

    def end(self, outcome: ChallengeOutcome) -> None:
        """Set the outcome."""
        self.outcome = outcome
        self._over.set()


class DeviceChallenges:
    """The open requests, in order of arrival."""

    def __init__(self) -> None:
        self._open: dict[str, DeviceChallenge] = {}
        self._arrived: asyncio.Queue[DeviceChallenge | DeviceError] = asyncio.Queue()

    def show(self, claims: Claims, challenge: str) -> DeviceChallenge | None:
        """Add a request, and return it; None if too many are open."""
        known = self._open.get(claims.jti)
        if known is not None or len(self._open) >= MAX_OPEN:
            return known
        request = self._open[claims.jti] = DeviceChallenge(claims, challenge)
        self._arrived.put_nowait(request)
        return request

    def end(self, challenge_id: str, outcome: ChallengeOutcome) -> DeviceChallenge | None:
        """End a request, and return it; None if it is not open."""
        request = self._open.pop(challenge_id, None)
        if request is not None:
            request.end(outcome)
        return request

    def find(self, challenge_id: str) -> DeviceChallenge | None:
        """Return an open request, or None."""
        return self._open.get(challenge_id)

    def of_account(self, issuer: str, account_id: str) -> list[str]:
        """Return the ids of the open login requests of an account."""
        open_claims = (request.claims for request in self._open.values())
        logins = (claims for claims in open_claims if claims.purpose is Purpose.LOGIN)
        return [claims.jti for claims in logins if (claims.iss, claims.account_id) == (issuer, account_id)]

    def ids(self) -> set[str]:
        """Return the ids of the open requests."""
        return set(self._open)

    def fail(self, error: DeviceError) -> None:
        """End `arrivals` with an error."""
        self._arrived.put_nowait(error)

    async def arrivals(self) -> AsyncIterator[DeviceChallenge]:
        """Yield each request once, except those that have already ended.

        Raises:
            DeviceError: When no more requests can arrive.

        """
        while True:
            arrived = await self._arrived.get()
            if isinstance(arrived, DeviceError):
                self._arrived.put_nowait(arrived)
                raise arrived
            if arrived.outcome is None:
                yield arrived
