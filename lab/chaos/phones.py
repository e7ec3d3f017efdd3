"""A phone in good and in bad hands: it approves, denies, answers twice, answers too late, or drops off in between."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from authenticator.device.challenges import DeviceChallenge
from authenticator.device.errors import DeviceError, NumberError, ProblemError
from authenticator.device.phone import VirtualPhone
from authenticator.device.retries import Timing
from authenticator.device.state import State
from authenticator.device.store import MemoryStore
from lab.chaos.history import ClientLog, Habit, PhoneAnswer
from schemas.contract import Purpose, Verdict
from services.common.clock import now

TIMING: Final = Timing(first_pause_seconds=0.5, longest_pause_seconds=3.0)
"""In a run of minutes a lost connection is made anew sooner than usual. What counts as lost is as everywhere."""
GONE_SECONDS: Final = 2.0
TOO_LATE_SECONDS: Final = 1.5


class Phone:
    """Somebody's phone, answering by itself.

    Attributes:
        habit: What is done with the next request to sign in. A pairing is always accepted.

    """

    def __init__(self, url: str, name: str, history: ClientLog) -> None:
        """Prepare it; enter its context to switch it on.

        Args:
            url: The push service's URL.
            name: Its name.
            history: Where it writes down what became of its answers.

        """
        self._store = MemoryStore(State(device_name=name, url=url))
        self._history = history
        self.habit = Habit.APPROVE
        self._number: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._phone = VirtualPhone(self._store, timing=TIMING)
        self._answering: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        """Switch it on."""
        await self._phone.__aenter__()
        self._answering = asyncio.create_task(self._answer_all())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Switch it off."""
        self._answering.cancel()
        await asyncio.gather(self._answering, return_exceptions=True)
        await self._phone.__aexit__(kind, error, trace)

    @property
    def has_account(self) -> bool:
        """True once it is paired."""
        return bool(self._store.read().accounts)

    def expect(self, habit: Habit) -> None:
        """Have its owner begin to sign in."""
        self.habit = habit
        self.forget_number()

    def forget_number(self) -> None:
        """Have its owner enter the password: the number that the browser will show is not known yet."""
        if self._number.done():
            self._number = asyncio.get_running_loop().create_future()

    def show(self, number: int | None) -> None:
        """Let its owner see the number that the browser shows; a request waits for it."""
        self.forget_number()
        self._number.set_result(number)

    async def new_phrase(self) -> str:
        """Return a new pairing phrase.

        Raises:
            DeviceError: If there is none to be had.

        """
        return (await self._phone.new_phrase()).phrase

    def code(self) -> str:
        """Return the verification code of the first account now."""
        return self._phone.code(self._store.read().accounts[0]).code

    async def _answer_all(self) -> None:
        while True:
            dropped = False
            async for request in self._phone.requests():
                with suppress(DeviceError, NumberError):
                    dropped = await self._answer(request)
                if dropped:
                    break
            await self._drop()

    async def _answer(self, request: DeviceChallenge) -> bool:
        """Answer a request; return True if the phone is to be dropped instead."""
        if request.claims.purpose is Purpose.PAIRING:
            await self._say(request, Verdict.APPROVE)
            return False
        habit, self.habit = self.habit, Habit.APPROVE
        if habit in {Habit.DROP, Habit.IGNORE}:
            return habit is Habit.DROP
        if habit is Habit.LATE:
            await asyncio.sleep(max(0.0, self._phone.clock.seconds_until(request.claims.expires_at)) + TOO_LATE_SECONDS)
        if habit is Habit.DENY:
            await self._say(request, Verdict.DENY)
            return False
        number = await self._number
        await self._say(request, Verdict.APPROVE, number)
        if habit is Habit.TWICE:
            await self._say(request, Verdict.DENY)
        return False

    async def _say(self, request: DeviceChallenge, verdict: Verdict, number: int | None = None) -> None:
        refusal = ""
        try:
            await self._phone.answer(request, verdict, number)
        except ProblemError as error:
            refusal = error.problem.name
        except DeviceError as error:
            refusal = type(error).__name__
        claims = request.claims
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
        await self._phone.__aexit__(None, None, None)
        await asyncio.sleep(GONE_SECONDS)
        self._phone = VirtualPhone(self._store, timing=TIMING)
        await self._phone.__aenter__()
