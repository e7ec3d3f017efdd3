"""Phones in good and in bad hands: their owners approve, deny, answer twice or too late, and lose the connection."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.errors import DeviceError, NumberError, ProblemError
from authenticator.device.retries import Timing
from authenticator.device.state import State
from authenticator.device.store import MemoryStore
from lab.chaos.history import ClientLog, Habit, PhoneAnswer
from lab.testkit.phone import PocketPhone
from schemas.contract import Purpose, Verdict
from services.common.clock import now

TIMING: Final = Timing(first_pause_seconds=0.5, longest_pause_seconds=3.0)
"""In a run of minutes a phone connects again sooner than usual. When a connection counts as lost is as everywhere."""
GONE_SECONDS: Final = 2.0
TOO_LATE_SECONDS: Final = 1.5


class HabitualPhone(PocketPhone):
    """A phone whose owner answers each challenge by habit, and that logs what became of the answers.

    Attributes:
        habit: What the owner does with the next challenge of a sign-in. A pairing is always accepted.

    """

    def __init__(self, url: str, name: str, history: ClientLog) -> None:
        """Prepare it; enter its context to switch it on.

        Args:
            url: The push service's URL.
            name: The phone's name.
            history: The log of its answers.

        """
        super().__init__(MemoryStore(State(device_name=name, url=url)), timing=TIMING)
        self._history = history
        self.habit = Habit.APPROVE
        self._number: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._answering: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Switch it on."""
        await super().__aenter__()
        self._answering = asyncio.create_task(self._answer_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch it off."""
        self._answering.cancel()
        await asyncio.gather(self._answering, return_exceptions=True)
        await super().__aexit__(kind, error, trace)

    def expect(self, habit: Habit) -> None:
        """Begin a sign-in: the habit for its challenge, whose number is not known yet."""
        self.habit = habit
        self.forget_number()

    def forget_number(self) -> None:
        """Have the next answer wait for the number that the browser will show."""
        if self._number.done():
            self._number = asyncio.get_running_loop().create_future()

    def show(self, number: int | None) -> None:
        """Tell the owner the number that the browser shows."""
        self.forget_number()
        self._number.set_result(number)

    async def _answer_all(self) -> None:
        while True:
            is_dropped = False
            async for challenge in self.virtual.requests():
                with suppress(DeviceError, NumberError):
                    is_dropped = await self._answer_by_habit(challenge)
                if is_dropped:
                    break
            await self._drop()

    async def _answer_by_habit(self, challenge: DeviceChallenge) -> bool:
        """Answer a challenge; return True if the phone loses its connection instead."""
        if challenge.claims.purpose is Purpose.PAIRING:
            await self._send(challenge, Verdict.APPROVE)
            return False
        habit, self.habit = self.habit, Habit.APPROVE
        if habit in {Habit.DROP, Habit.IGNORE}:
            return habit is Habit.DROP
        if habit is Habit.LATE:
            left_seconds = self.virtual.clock.seconds_until(challenge.claims.expires_at)
            await asyncio.sleep(max(0.0, left_seconds) + TOO_LATE_SECONDS)
        if habit is Habit.DENY:
            await self._send(challenge, Verdict.DENY)
            return False
        number = await self._number
        await self._send(challenge, Verdict.APPROVE, number)
        if habit is Habit.TWICE:
            await self._send(challenge, Verdict.DENY)
        return False

    async def _send(self, challenge: DeviceChallenge, verdict: Verdict, number: int | None = None) -> None:
        refusal = ""
        try:
            await self.virtual.answer(challenge, verdict, number)
        except ProblemError as error:
            refusal = error.problem.name
        except DeviceError as error:
            refusal = type(error).__name__
        claims = challenge.claims
        self._history.note(
            PhoneAnswer(
                challenge_id=claims.jti,
                account_id=claims.account_id,
                purpose=claims.purpose,
                verdict=verdict,
                refusal=refusal,
                ended=now(),
            )
        )

    async def _drop(self) -> None:
        """Lose the connection without a word, and come back as the same phone."""
        await super().__aexit__(None, None, None)
        await asyncio.sleep(GONE_SECONDS)
        await super().__aenter__()
