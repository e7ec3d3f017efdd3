"""A phone: it stays connected to the push service, shows trusted requests, and answers them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Final, Self

import aiohttp

from authenticator.device.answers import send_answer
from authenticator.device.challenges import Answered, DeviceChallenge
from authenticator.device.client import Client, origin_of
from authenticator.device.clock import ServiceClock
from authenticator.device.code_derivation import VerificationCode, code_of
from authenticator.device.errors import DeviceError, ProblemError
from authenticator.device.inbox import Inbox, OnRemoved, log_removed
from authenticator.device.link import Link, OnConnectionError, log_connection_error
from authenticator.device.messages import Discovery, IssuedPhrase
from authenticator.device.retries import Timing
from authenticator.device.state import Account, ChallengeOutcome, PhraseRequest, State, new_account
from authenticator.device.store import MemoryStore, Store
from protocol.signed_requests import Refusal, sign_request
from schemas.contract import Purpose, Verdict

PHRASE_RETRY_SECONDS: Final = 20.0
FINAL_REFUSALS: Final[Mapping[str, ChallengeOutcome]] = {
    Refusal.EXPIRED: ChallengeOutcome.EXPIRED,
    Refusal.UNKNOWN_CHALLENGE: ChallengeOutcome.WITHDRAWN,
    Refusal.ALREADY_ANSWERED: ChallengeOutcome.ANSWERED,
}
"""Refusals of an answer that end the request, with its outcome."""


class VirtualPhone:
    """A phone as an object; dozens fit into one process.

    It is connected to the push service, or reconnects, while it is used as a context manager:

        async with VirtualPhone.in_memory("http://localhost:8300") as phone:
            print((await phone.new_phrase()).phrase)
            async for request in phone.requests():
                await phone.answer(request, Verdict.APPROVE)

    Attributes:
        store: Its keys and its state.
        clock: The service's time.

    """

    def __init__(
        self,
        store: Store,
        *,
        timing: Timing | None = None,
        on_connection_error: OnConnectionError = log_connection_error,
        on_removed: OnRemoved = log_removed,
    ) -> None:
        """Take the store; `__aenter__` connects.

        Args:
            store: Its keys and its state, with the push service's URL.
            timing: Timeouts and pauses.
            on_connection_error: Is called when the connection is lost or cannot be made.
            on_removed: Is called when an account's service removes it.

        """
        self.store = store
        self.clock = ServiceClock(
            offset_seconds=store.read().clock_offset_seconds,
            store=lambda offset_seconds: store.update(lambda state: state.with_clock(offset_seconds)),
        )
        timing = Timing() if timing is None else timing
        self._client = Client(aiohttp.ClientSession(), store.read().url, self.clock, timing)
        self._link = Link(self._client, store, on_connection_error)
        self._inbox = Inbox(store, self._client, self._link, on_removed)
        self._connecting: asyncio.Task[None]

    @classmethod
    def in_memory(cls, url: str, device_name: str = "Virtual phone", *, timing: Timing | None = None) -> Self:
        """Create a phone whose keys and state exist only in memory."""
        return cls(MemoryStore(State(device_name=device_name, url=url)), timing=timing)

    @property
    def device_id(self) -> str:
        """The device's id: the thumbprint of its key."""
        return self.store.key.public.thumbprint

    async def __aenter__(self) -> Self:
        """Start to connect."""
        self._connecting = asyncio.create_task(self._stay_connected())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._connecting.cancel()
        await asyncio.gather(self._connecting, return_exceptions=True)
        await self._inbox.close()
        await self._client.session.close()

    async def connected(self, *, retry: bool = True) -> Discovery:
        """Wait until the phone is connected, and return the services' addresses.

        Args:
            retry: Whether to wait for further attempts after a failed one.

        Raises:
            ProblemError: If the push service refuses permanently.
            DeviceError: If an attempt failed, without ``retry``.

        """
        await self._link.connected(retry=retry)
        return self._link.discovery()

    async def new_phrase(self) -> IssuedPhrase:
        """Request a pairing phrase, once the phone is connected.

        The phone then trusts a pairing challenge, until one is answered or the phrase expires.

        Raises:
            DeviceError: If the pairing service issues none.

        """
        pairing_url = origin_of((await self.connected()).pairing_url)
        sign = partial(sign_request, self.store.key, payload={"device_name": self.store.read().device_name})
        issued = await self._client.post(
            pairing_url, "/phrases", sign, IssuedPhrase, retry_seconds=PHRASE_RETRY_SECONDS
        )
        # The clock is read after the request, which may have synchronized it.
        phrase = PhraseRequest(asked_at=self.clock.now(), expires_at=issued.expires_at)
        self.store.update(lambda state: state.with_phrase(phrase))
        return issued

    def code(self, account: Account) -> VerificationCode:
        """Return an account's present verification code. This needs no network.

        Raises:
            NoCodesError: If the account has no codes.

        """
        return code_of(account, self.store.agreement, self.clock.now())

    def requests(self) -> AsyncIterator[DeviceChallenge]:
        """Yield each trusted request as it arrives, without end.

        Raises:
            ProblemError: If the push service refuses permanently.

        """
        return self._inbox.requests.arrivals()

    async def answer(self, request: DeviceChallenge, verdict: Verdict, number: int | None = None) -> Answered:
        """Answer a request, and retry until the outcome is known.

        Args:
            request: The request.
            verdict: The person's verdict.
            number: The number that the browser shows, 10 to 99; an approval with number matching needs it.

        Returns:
            When it arrived, and how the request ended. A wrong number is an answer too, and denies the sign-in.

        Raises:
            NumberError: If a required number is missing; no answer is sent.
            ProblemError: If the service refuses the answer: expired, already answered, withdrawn.
            DeviceError: If the service cannot be reached until ten minutes after the request's expiry.

        """
        reply = request.reply(verdict, number)
        pairing = request.claims.purpose is Purpose.PAIRING
        request.answer_pending = True
        try:
            async with self._inbox.pairing if pairing else nullcontext():
                receipt = await send_answer(self._client, self._link, self.store, request, reply)
                outcome = ChallengeOutcome.of(verdict, receipt.outcome)
                self._record_answer(request, outcome, receipt.answered_at)
                return Answered(receipt.answered_at, outcome)
        except DeviceError as error:
            request.answer_pending = False
            refusal = error.problem.name if isinstance(error, ProblemError) else ""
            if refusal in FINAL_REFUSALS or self.clock.now() >= request.claims.expires_at:
                self._inbox.end(request.claims.jti, FINAL_REFUSALS.get(refusal, ChallengeOutcome.EXPIRED))
            raise

    def _record_answer(self, request: DeviceChallenge, outcome: ChallengeOutcome, at: datetime) -> None:
        claims = request.claims
        paired = (claims.purpose, outcome) == (Purpose.PAIRING, ChallengeOutcome.APPROVED)
        account = new_account(claims, at) if paired else None

        def change(state: State) -> State:
            with_account = state if account is None else state.with_account(account)
            return with_account.with_ended(claims, outcome, at)

        self.store.update(change)
        self._inbox.requests.end(claims.jti, outcome)

    async def _stay_connected(self) -> None:
        try:
            await self._link.run(self._inbox.handle)
        except DeviceError as error:
            self._inbox.requests.fail(error)
