"""A phone: it keeps in touch with the push service, shows requests that it trusts, and answers them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Final, Self

import aiohttp

from authenticator.device.answering import send_answer
from authenticator.device.challenges import DeviceChallenge
from authenticator.device.client import Client, origin_of
from authenticator.device.clock import ServiceClock
from authenticator.device.code_derivation import VerificationCode, code_of
from authenticator.device.errors import DeviceError, ProblemError
from authenticator.device.inbox import Inbox, Removed, log_removed
from authenticator.device.link import Link, Trouble, log_trouble
from authenticator.device.messages import Discovery, IssuedPhrase
from authenticator.device.retries import Timing
from authenticator.device.state import Account, ChallengeOutcome, PhraseRequest, State, new_account
from authenticator.device.store import MemoryStore, Store
from protocol.signed_requests import Refusal, sign_request
from schemas.contract import Purpose, Verdict

PHRASE_PATIENCE_SECONDS: Final = 20.0
OVER: Final[Mapping[str, ChallengeOutcome]] = {
    Refusal.EXPIRED: ChallengeOutcome.EXPIRED,
    Refusal.UNKNOWN_CHALLENGE: ChallengeOutcome.WITHDRAWN,
    Refusal.ALREADY_ANSWERED: ChallengeOutcome.ANSWERED,
}
"""Refusals of an answer after which the request is over, and how it ended then."""


class VirtualPhone:
    """A phone as an object; dozens fit into one process.

    It is in touch with the push service, or tries to be, while it is used as a context manager:

        async with VirtualPhone.in_memory("http://localhost:8300") as phone:
            print((await phone.new_phrase()).phrase)
            async for request in phone.requests():
                await phone.answer(request, Verdict.APPROVE)

    Attributes:
        store: Its key and what it remembers.
        clock: Time as the service counts it.

    """

    def __init__(
        self,
        store: Store,
        *,
        timing: Timing | None = None,
        on_trouble: Trouble = log_trouble,
        on_removed: Removed = log_removed,
    ) -> None:
        """Prepare it.

        Args:
            store: Its key and what it remembers, the push service's URL included.
            timing: How patient it is.
            on_trouble: Is told when the connection is lost or cannot be made.
            on_removed: Is told when an account was removed by its service.

        """
        self.store = store
        self.clock = ServiceClock(
            offset_seconds=store.read().clock_offset_seconds,
            keep=lambda offset_seconds: store.update(lambda state: state.with_clock(offset_seconds)),
        )
        timing = Timing() if timing is None else timing
        self._client = Client(aiohttp.ClientSession(), store.read().url, self.clock, timing)
        self._link = Link(self._client, store, on_trouble)
        self._inbox = Inbox(store, self._client, self._link, on_removed)
        self._staying: asyncio.Task[None]

    @classmethod
    def in_memory(cls, url: str, device_name: str = "Virtual phone", *, timing: Timing | None = None) -> Self:
        """Make a new phone that is forgotten with this object.

        Args:
            url: The push service's origin.
            device_name: Its name.
            timing: How patient it is.

        """
        return cls(MemoryStore(State(device_name=device_name, url=url)), timing=timing)

    @property
    def device_id(self) -> str:
        """The device's id, the thumbprint of its key."""
        return self.store.key.public.thumbprint

    async def __aenter__(self) -> Self:
        """Begin to connect."""
        self._staying = asyncio.create_task(self._stay_connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        self._staying.cancel()
        await asyncio.gather(self._staying, return_exceptions=True)
        await self._inbox.close()
        await self._client.session.close()

    async def connected(self, *, patient: bool = True) -> Discovery:
        """Wait until the push service knows this phone and can reach it.

        Args:
            patient: Whether to wait for further attempts where one failed.

        Returns:
            Where the services are.

        Raises:
            ProblemError: If it refuses, and would do so again.
            DeviceError: If an attempt failed, and patience is not asked for.

        """
        await self._link.connected(patient=patient)
        return self._link.found()

    async def new_phrase(self) -> IssuedPhrase:
        """Ask for a pairing phrase, once the push service can reach this phone.

        From now on a pairing challenge is believed, until one was answered or the phrase ended.

        Raises:
            DeviceError: If there is none to be had.

        """
        pairing_url = origin_of((await self.connected()).pairing_url)
        sign = partial(sign_request, self.store.key, payload={"device_name": self.store.read().device_name})
        issued = await self._client.post(
            pairing_url, "/phrases", sign, IssuedPhrase, patience_seconds=PHRASE_PATIENCE_SECONDS
        )
        # Read only now: the pairing service may have found the clock wrong, and had it put right.
        phrase = PhraseRequest(asked_at=self.clock.now(), expires_at=issued.expires_at)
        self.store.update(lambda state: state.with_phrase(phrase))
        return issued

    def code(self, account: Account) -> VerificationCode:
        """Return the verification code of an account now, by the service's clock; needs no network.

        Raises:
            NoCodesError: If the account has none.

        """
        return code_of(account, self.store.agreement, self.clock.now())

    def requests(self) -> AsyncIterator[DeviceChallenge]:
        """Give each request that may be shown, as it comes; an endless iterator.

        Raises:
            ProblemError: If the push service refuses this phone, and would do so again.

        """
        return self._inbox.requests.arrivals()

    async def answer(self, request: DeviceChallenge, verdict: Verdict, number: int | None = None) -> datetime:
        """Answer a request; go on until it is known what became of the answer.

        Args:
            request: The request.
            verdict: What the person decided.
            number: The number that the browser shows, 10 to 99; an approval with number matching needs it.

        Returns:
            When the service took the answer, which was then in Kafka. A wrong number is taken, and denies the sign-in.

        Raises:
            NumberError: If the number is needed and not given; nothing was sent then.
            ProblemError: If the service does not take it: expired, answered before, withdrawn.
            DeviceError: If it could not be reached until ten minutes after the request's expiry.

        """
        reply = request.reply(verdict, number)
        pairing = request.claims.purpose is Purpose.PAIRING
        request.in_hand = True
        try:
            async with self._inbox.pairing if pairing else nullcontext():
                answered_at = await send_answer(self._client, self._link, self.store, request, reply)
                self._note_answered(request, verdict, answered_at)
                return answered_at
        except DeviceError as error:
            request.in_hand = False
            refusal = error.problem.name if isinstance(error, ProblemError) else ""
            if refusal in OVER or self.clock.now() >= request.claims.expires_at:
                self._inbox.end(request.claims.jti, OVER.get(refusal, ChallengeOutcome.EXPIRED))
            raise

    def _note_answered(self, request: DeviceChallenge, verdict: Verdict, at: datetime) -> None:
        claims = request.claims
        account = new_account(claims, at) if (claims.purpose, verdict) == (Purpose.PAIRING, Verdict.APPROVE) else None

        def change(state: State) -> State:
            paired = state if account is None else state.with_account(account)
            return paired.with_ended(claims, ChallengeOutcome.of(verdict), at)

        self.store.update(change)
        self._inbox.requests.end(claims.jti, ChallengeOutcome.of(verdict))

    async def _stay_connected(self) -> None:
        try:
            await self._link.run(self._inbox.take)
        except DeviceError as error:
            self._inbox.requests.fail(error)
