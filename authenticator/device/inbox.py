"""What becomes of a challenge that comes in: it is judged, shown, and noted when it ends without an answer."""

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
from authenticator.device.parting import judge_unpaired
from authenticator.device.state import Account, ChallengeOutcome
from authenticator.device.store import Store
from authenticator.device.trust import CLOCK_TOLERANCE, Distrust, Judgement, KeysNeeded, Trusted, judge

log = logging.getLogger(__name__)
KEYS_PATIENCE_SECONDS: Final = 60.0
MAX_CONSIDERED: Final = 64
"""How many challenges and statements are judged at once; more are left aside, and come with the next connection."""
LOOK_SECONDS: Final = 1.0
"""How often a request that has run out by the clock is looked at, until the service says that it has ended."""
ENDED_BECAUSE: Final = {"answered": ChallengeOutcome.ANSWERED, "expired": ChallengeOutcome.EXPIRED}
NOT_NOTED_YET: Final = (Distrust.NOT_PAIRED, Distrust.OTHER_PAIRING)
"""What an account looks like whose pairing was accepted and is not noted yet."""
NO_TOLERANCE: Final = timedelta()
Removed = Callable[[Account], None]
"""Takes the account that was removed by its service."""
JudgedT = TypeVar("JudgedT", Trusted, Account)


def log_removed(account: Account) -> None:
    """Note a removed account where nobody else wants to know of it."""
    log.info("an account was removed by %s", account.issuer)


class Inbox:
    """Takes the frames of the socket, and keeps the requests that came of them.

    Attributes:
        requests: The requests that are shown.
        pairing: Held while the answer to a pairing is on its way: a login of that account may be asked for before the
            account is noted, and waits here.

    """

    def __init__(self, store: Store, client: Client, link: Link, on_removed: Removed) -> None:
        self.requests = DeviceChallenges()
        self.pairing = asyncio.Lock()
        self._store = store
        self._client = client
        self._link = link
        self._on_removed = on_removed
        # What is judged, and which requests have ended since it came.
        self._considered: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, frame: News) -> None:
        """Take a frame."""
        if isinstance(frame, EndedFrame):
            self.end(frame.challenge_id, ENDED_BECAUSE.get(frame.reason, ChallengeOutcome.WITHDRAWN))
        elif isinstance(frame, WaitingFrame):
            for challenge_id in self.requests.ids() - set(frame.challenge_ids):
                self.end(challenge_id, ChallengeOutcome.WITHDRAWN)
        elif isinstance(frame, UnpairedFrame):
            self._consider(frame.statement, self._part)
        else:
            self._consider(frame.challenge, self._show)

    def end(self, challenge_id: str, outcome: ChallengeOutcome) -> None:
        """End a request that was not answered here, unless an answer to it is on its way, and note it."""
        for ended in self._considered.values():
            ended.add(challenge_id)
        request = self.requests.find(challenge_id)
        if request is not None and not request.in_hand:
            self.requests.end(challenge_id, outcome)
            self._store.update(lambda state: state.with_ended(request.claims, outcome, self._client.clock.now()))

    async def close(self) -> None:
        """Stop judging and waiting."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _consider(self, compact: str, consider: Callable[[str], Coroutine[None, None, None]]) -> None:
        if compact in self._considered:
            self._considered[compact].clear()
        elif len(self._considered) >= MAX_CONSIDERED:
            log.warning("a challenge or statement is left aside until the next connection: too many come at once")
        else:
            self._considered[compact] = set()
            self._start(consider(compact)).add_done_callback(lambda _: self._considered.pop(compact))

    async def _part(self, statement: str) -> None:
        device_id = self._store.key.public.thumbprint
        try:
            judgement = await self._judge(
                lambda served: judge_unpaired(statement, state=self._store.read(), device_id=device_id, served=served)
            )
        except DeviceError as error:
            log.warning("an account is not removed, its issuer's keys are not to be had: %s", error)
            return
        if isinstance(judgement, Distrust):
            repeated = judgement in NOT_NOTED_YET
            log.log(logging.INFO if repeated else logging.WARNING, "an account is not removed: %s", judgement)
            return
        for challenge_id in self.requests.of_account(judgement.issuer, judgement.account_id):
            self.end(challenge_id, ChallengeOutcome.REMOVED)
        self._store.update(lambda state: state.with_removed(judgement, self._client.clock.now()))
        self._on_removed(judgement)

    async def _show(self, challenge: str) -> None:
        try:
            judgement = await self._judge(partial(self._judge_challenge, challenge))
            if judgement is Distrust.EXPIRED:
                judgement = await self._judge_anew(challenge)
        except DeviceError as error:
            log.warning("a challenge is not shown, its issuer's keys are not to be had: %s", error)
            return
        if not isinstance(judgement, Trusted):
            log.warning("a challenge is not shown: %s", judgement)
            return
        claims = judgement.claims
        pinned = judgement.newly_pinned
        if pinned is not None:
            self._store.update(lambda state: state.with_pinned(claims.iss, claims.account_id, pinned))
        if self._store.read().settled(claims.jti) or claims.jti in self._considered[challenge]:
            log.info("a challenge is not shown: it has ended")
            return
        new = self.requests.find(claims.jti) is None
        request = self.requests.show(claims, challenge)
        if request is None:
            log.warning("a challenge is not shown: too many are open")
            return
        if new:
            self._start(self._expire(request))
        await self._link.send_receipt(claims.jti)

    async def _judge(
        self, judge_now: Callable[[AbstractSet[str] | None], JudgedT | Distrust | KeysNeeded]
    ) -> JudgedT | Distrust:
        judgement = judge_now(None)
        if isinstance(judgement, Distrust) and judgement in NOT_NOTED_YET and self.pairing.locked():
            async with self.pairing:
                judgement = judge_now(None)
        if isinstance(judgement, KeysNeeded):
            served = await self._client.key_set(judgement.issuer, patience_seconds=KEYS_PATIENCE_SECONDS)
            judgement = judge_now(served)
        return Distrust.UNKNOWN_KEY if isinstance(judgement, KeysNeeded) else judgement

    async def _judge_anew(self, challenge: str) -> Trusted | Distrust:
        """Judge a challenge that seems to have expired by the time as the service says it now.

        The service sends only what it calls open, and refuses an answer that comes too late. So what is still expired
        then is shown all the same, unless by more than clocks may differ.
        """
        try:
            await self._client.discover()
        except DeviceError as error:
            log.info("the time is not to be had: %s", error)
        return await self._judge(partial(self._judge_challenge, challenge, tolerance=CLOCK_TOLERANCE))

    def _judge_challenge(
        self, challenge: str, served: AbstractSet[str] | None, tolerance: timedelta = NO_TOLERANCE
    ) -> Judgement:
        return judge(
            challenge,
            state=self._store.read(),
            device_id=self._store.key.public.thumbprint,
            now=self._client.clock.now() - tolerance,
            pairing_url=origin_of(self._link.found().pairing_url),
            served=served,
        )

    async def _expire(self, request: DeviceChallenge) -> None:
        """End a request that has run out: by the clock, or while the service is heard, by its word.

        No clock lets it stay beyond its lifetime.
        """
        claims = request.claims
        latest = time.monotonic() + claims.lifetime_seconds
        while request.outcome is None and (left_seconds := latest - time.monotonic()) > 0:
            clock_seconds = self._client.clock.seconds_until(claims.expires_at)
            if clock_seconds == 0 and not self._link.is_open:
                break
            await asyncio.sleep(min(left_seconds, clock_seconds or LOOK_SECONDS))
        if request.outcome is None:
            self.end(claims.jti, ChallengeOutcome.EXPIRED)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
