"""Incoming frames: challenges are judged and shown, statements are judged and applied, ends are recorded."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import partial
from typing import Final, TypeVar

from authenticator.device.challenges import DeviceChallenge, DeviceChallenges
from authenticator.device.client import Client, origin_of
from authenticator.device.errors import DeviceError
from authenticator.device.frames import EndedFrame, News, UnpairedFrame, WaitingFrame
from authenticator.device.link import Link
from authenticator.device.state import Account, ChallengeOutcome
from authenticator.device.store import Store
from authenticator.device.trust import CLOCK_TOLERANCE, Distrust, Judgement, KeysNeeded, Trusted, judge, judge_unpaired

log = logging.getLogger(__name__)
KEYS_RETRY_SECONDS: Final = 60.0
MAX_JUDGED: Final = 64
"""Most challenges and statements judged at once; further ones are ignored, and sent again on the next connection."""
POLL_SECONDS: Final = 1.0
"""How often a request that has expired by the clock is checked, until the service ends it."""
ENDED_BECAUSE: Final = {"answered": ChallengeOutcome.ANSWERED, "expired": ChallengeOutcome.EXPIRED}
NOT_STORED: Final = (Distrust.NOT_PAIRED, Distrust.OTHER_PAIRING)
"""Judgements that may change once an accepted pairing is stored."""
NO_TOLERANCE: Final = timedelta()
OnRemoved = Callable[[Account], None]
"""Is called with an account that its service removed."""
JudgedT = TypeVar("JudgedT", Trusted, Account)


def log_removed(account: Account) -> None:
    """Log a removed account; the default callback."""
    log.info("account removed by %s", account.issuer)


class Inbox:
    """Handles the socket's frames, and keeps the open requests.

    Attributes:
        requests: The open requests.
        pairing: Locked while the answer to a pairing is sent: a login challenge may arrive before the account is
            stored, and waits for the lock.

    """

    def __init__(self, store: Store, client: Client, link: Link, on_removed: OnRemoved) -> None:
        self.requests = DeviceChallenges()
        self.pairing = asyncio.Lock()
        self._store = store
        self._client = client
        self._link = link
        self._on_removed = on_removed
        # What is being judged, with the requests that have ended since it arrived.
        self._judging: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def handle(self, frame: News) -> None:
        """Handle a frame."""
        if isinstance(frame, EndedFrame):
            self.end(frame.challenge_id, ENDED_BECAUSE.get(frame.reason, ChallengeOutcome.WITHDRAWN))
        elif isinstance(frame, WaitingFrame):
            for challenge_id in self.requests.ids() - set(frame.challenge_ids):
                self.end(challenge_id, ChallengeOutcome.WITHDRAWN)
        elif isinstance(frame, UnpairedFrame):
            self._start_judging(frame.statement, self._remove_account)
        else:
            self._start_judging(frame.challenge, self._show)

    def end(self, challenge_id: str, outcome: ChallengeOutcome) -> None:
        """End a request and record its end, unless an answer to it is being sent."""
        for ended in self._judging.values():
            ended.add(challenge_id)
        request = self.requests.find(challenge_id)
        if request is not None and not request.answer_pending:
            self.requests.end(challenge_id, outcome)
            self._store.update(lambda state: state.with_ended(request.claims, outcome, self._client.clock.now()))

    async def close(self) -> None:
        """Cancel all tasks."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_judging(self, compact: str, judge_frame: Callable[[str], Coroutine[None, None, None]]) -> None:
        if compact in self._judging:
            self._judging[compact].clear()
        elif len(self._judging) >= MAX_JUDGED:
            log.warning("challenge or statement ignored until the next connection: too many at once")
        else:
            self._judging[compact] = set()
            self._start(judge_frame(compact)).add_done_callback(lambda _: self._judging.pop(compact))

    async def _remove_account(self, statement: str) -> None:
        device_id = self._store.key.public.thumbprint
        try:
            judgement = await self._judge(
                lambda served: judge_unpaired(statement, state=self._store.read(), device_id=device_id, served=served)
            )
        except DeviceError as error:
            log.warning("account not removed: its issuer's keys are unavailable: %s", error)
            return
        if isinstance(judgement, Distrust):
            repeated = judgement in NOT_STORED
            log.log(logging.INFO if repeated else logging.WARNING, "account not removed: %s", judgement)
            return
        for challenge_id in self.requests.of_account(judgement.issuer, judgement.account_id):
            self.end(challenge_id, ChallengeOutcome.REMOVED)
        self._store.update(lambda state: state.with_removed(judgement, self._client.clock.now()))
        self._on_removed(judgement)

    async def _show(self, challenge: str) -> None:
        try:
            judgement = await self._judge(partial(self._judge_challenge, challenge))
            if judgement is Distrust.EXPIRED:
                judgement = await self._judge_again(challenge)
        except DeviceError as error:
            log.warning("challenge not shown: its issuer's keys are unavailable: %s", error)
            return
        if not isinstance(judgement, Trusted):
            log.warning("challenge not shown: %s", judgement)
            return
        claims = judgement.claims
        pinned = judgement.newly_pinned
        if pinned is not None:
            self._store.update(lambda state: state.with_pinned(claims.iss, claims.account_id, pinned))
        if self._store.read().is_final(claims.jti) or claims.jti in self._judging[challenge]:
            log.info("challenge not shown: it has ended")
            return
        new = self.requests.find(claims.jti) is None
        request = self.requests.show(claims, challenge)
        if request is None:
            log.warning("challenge not shown: too many are open")
            return
        if new:
            self._start(self._expire(request))
        await self._link.send_receipt(claims.jti)

    async def _judge(
        self, judge_now: Callable[[AbstractSet[str] | None], JudgedT | Distrust | KeysNeeded]
    ) -> JudgedT | Distrust:
        judgement = judge_now(None)
        if isinstance(judgement, Distrust) and judgement in NOT_STORED and self.pairing.locked():
            async with self.pairing:
                judgement = judge_now(None)
        if isinstance(judgement, KeysNeeded):
            served = await self._client.key_set(judgement.issuer, retry_seconds=KEYS_RETRY_SECONDS)
            judgement = judge_now(served)
        return Distrust.UNKNOWN_KEY if isinstance(judgement, KeysNeeded) else judgement

    async def _judge_again(self, challenge: str) -> Trusted | Distrust:
        """Judge a challenge that seems to have expired again, by the service's present time.

        The service sends only open challenges, and refuses late answers. So the challenge is shown unless it has
        expired by more than the clocks' tolerance.
        """
        try:
            await self._client.discover()
        except DeviceError as error:
            log.info("service time unavailable: %s", error)
        return await self._judge(partial(self._judge_challenge, challenge, tolerance=CLOCK_TOLERANCE))

    def _judge_challenge(
        self, challenge: str, served: AbstractSet[str] | None, tolerance: timedelta = NO_TOLERANCE
    ) -> Judgement:
        return judge(
            challenge,
            state=self._store.read(),
            device_id=self._store.key.public.thumbprint,
            now=self._client.clock.now() - tolerance,
            pairing_url=origin_of(self._link.discovery().pairing_url),
            served=served,
        )

    async def _expire(self, request: DeviceChallenge) -> None:
        """End a request that has expired: by the clock, or while connected, by the service's frame.

        The monotonic clock bounds its lifetime in any case.
        """
        claims = request.claims
        latest = time.monotonic() + claims.lifetime_seconds
        while request.outcome is None and (left_seconds := latest - time.monotonic()) > 0:
            clock_seconds = self._client.clock.seconds_until(claims.expires_at)
            if clock_seconds == 0 and not self._link.is_open:
                break
            await asyncio.sleep(min(left_seconds, clock_seconds or POLL_SECONDS))
        if request.outcome is None:
            self.end(claims.jti, ChallengeOutcome.EXPIRED)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
