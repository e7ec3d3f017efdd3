"""What becomes of a challenge that comes in: it is judged, shown, and noted when it ends without an answer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final, TypeVar

from authenticator.device.client import Client, origin_of
from authenticator.device.errors import DeviceError
from authenticator.device.frames import Ended, News, Parted, Waiting
from authenticator.device.link import Link
from authenticator.device.parting import judge_unpaired
from authenticator.device.requests import Requests
from authenticator.device.state import Account, Outcome
from authenticator.device.store import Store
from authenticator.device.trust import Distrust, Judgement, KeysNeeded, Trusted, judge

log = logging.getLogger(__name__)
KEYS_PATIENCE_SECONDS: Final = 60.0
MAX_CONSIDERED: Final = 64
"""How many challenges and statements are judged at once; more are left aside, and come with the next connection."""
ENDED_BECAUSE: Final = {"answered": Outcome.ANSWERED, "expired": Outcome.EXPIRED}
NOT_NOTED_YET: Final = (Distrust.NOT_PAIRED, Distrust.OTHER_PAIRING)
"""What an account looks like whose pairing was accepted and is not noted yet."""
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
        """Begin empty."""
        self.requests = Requests()
        self.pairing = asyncio.Lock()
        self._store = store
        self._client = client
        self._link = link
        self._on_removed = on_removed
        self._considered: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, frame: News) -> None:
        """Take a frame."""
        if isinstance(frame, Ended):
            self.end(frame.challenge_id, ENDED_BECAUSE.get(frame.reason, Outcome.WITHDRAWN))
        elif isinstance(frame, Waiting):
            for challenge_id in self.requests.ids() - set(frame.challenge_ids):
                self.end(challenge_id, Outcome.WITHDRAWN)
        elif isinstance(frame, Parted):
            self._consider(frame.statement, self._part)
        else:
            self._consider(frame.challenge, self._show)

    def end(self, challenge_id: str, outcome: Outcome) -> None:
        """End a request that was not answered here, unless an answer to it is on its way, and note it."""
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
        if compact not in self._considered and len(self._considered) < MAX_CONSIDERED:
            self._considered.add(compact)
            self._start(consider(compact)).add_done_callback(lambda _: self._considered.discard(compact))

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
            self.end(challenge_id, Outcome.REMOVED)
        self._store.update(lambda state: state.with_removed(judgement, self._client.clock.now()))
        self._on_removed(judgement)

    async def _show(self, challenge: str) -> None:
        try:
            judgement = await self._judge(partial(self._judge_challenge, challenge))
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
        if self._store.read().ended(claims.jti):
            return
        new = self.requests.find(claims.jti) is None
        if self.requests.show(claims, challenge) is None:
            log.warning("a challenge is not shown: too many are open")
            return
        if new:
            self._start(self._expire(claims.jti, self._client.clock.seconds_until(claims.expires_at)))
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

    def _judge_challenge(self, challenge: str, served: AbstractSet[str] | None) -> Judgement:
        return judge(
            challenge,
            state=self._store.read(),
            device_id=self._store.key.public.thumbprint,
            now=self._client.clock.now(),
            pairing_url=origin_of(self._link.found().pairing_url),
            served=served,
        )

    async def _expire(self, challenge_id: str, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        self.end(challenge_id, Outcome.EXPIRED)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
