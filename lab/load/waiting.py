"""What it costs that many people wait for their phones: memory and CPU of login, and the time of others' sign-ins."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lab.load.people import People, Waiting
from lab.load.processes import cpu_seconds, resident_bytes
from lab.load.streams import open_streams
from services.common.progress import Progress

BEGIN_AT_ONCE: Final = 16
GONE_SECONDS: Final = 20.0
"""After so long login knows that browsers have gone: it pings them every 15 s."""
SPARE: Final = 50
SPARE_SHARE: Final = 20
"""So many people, and one in so many, may fail to begin to wait."""
WARM_UP_SIGN_INS: Final = 3


class TooFewPeopleError(Exception):
    """There are not as many seeded people as it takes who can wait for their phones."""

    def __init__(self) -> None:
        super().__init__("Too many of the seeded people have a sign-in waiting already; take others (--first NUMBER).")


@dataclass(slots=True)
class Costs:
    """What was measured, with people waiting or without.

    Attributes:
        sign_ins: The seconds of each sign-in.
        cores: The share of a core that login used while no person acted, in each round.
        resident_bytes: Login's memory in each round.

    """

    sign_ins: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """How it is measured: in rounds, each without anybody waiting and then with all, so that noise hits both.

    Attributes:
        people: How many wait.
        rounds: How many rounds.
        sign_ins: How many sign-ins are timed in each half of a round, each of another person.
        idle_seconds: How long no person acts in each half.
        first: The number of the first of the seeded people that it takes.

    """

    people: int
    rounds: int
    sign_ins: int
    idle_seconds: float
    first: int = 0

    @property
    def needed(self) -> int:
        """How many seeded people with phones it takes at the most."""
        spare = SPARE + self.people // SPARE_SHARE
        return self.people + spare + WARM_UP_SIGN_INS + 2 * self.rounds * self.sign_ins

    async def run(self, people: People, on_progress: Callable[[str, Progress], None]) -> tuple[Costs, Costs]:
        """Measure.

        Args:
            people: The people, at a running stack with one login instance.
            on_progress: Takes what is being done, and how far it is.

        Returns:
            The costs without people waiting, and with them.

        """
        others = iter(range(self.first, self.first + self.needed))
        waiting = await self._begin(people, others, on_progress)
        for _ in range(WARM_UP_SIGN_INS):
            await people.sign_in(next(others))
        without, with_all = Costs(), Costs()
        for done in range(self.rounds):
            on_progress("Rounds", Progress(done, self.rounds))
            await self._look(people, without, [next(others) for _ in range(self.sign_ins)])
            async with open_streams(people.stack.urls["login"].replace("localhost", "127.0.0.1"), waiting):
                await self._look(people, with_all, [next(others) for _ in range(self.sign_ins)])
            await asyncio.sleep(GONE_SECONDS if done + 1 < self.rounds else 0)
        on_progress("Rounds", Progress(self.rounds, self.rounds))
        return without, with_all

    async def _begin(
        self, people: People, numbers: Iterator[int], on_progress: Callable[[str, Progress], None]
    ) -> Sequence[Waiting]:
        """Have each person enter the password.

        Where the service is so busy that a form is answered with "back in a moment", sending it again begins a second
        sign-in, which does not wait for the phone: another person takes that place.
        """
        waiting: list[Waiting] = []

        async def work() -> None:
            while len(waiting) < self.people:
                number = next(numbers, None)
                if number is None:
                    raise TooFewPeopleError
                begun = await people.begin(number)
                if begun is None:
                    continue
                if len(waiting) < self.people:
                    waiting.append(begun)
                    on_progress("People enter their passwords", Progress(len(waiting), self.people))

        workers = [asyncio.create_task(work()) for _ in range(BEGIN_AT_ONCE)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        return waiting

    async def _look(self, people: People, costs: Costs, others: Sequence[int]) -> None:
        pid = people.stack.instances["login"].pid or 0
        before = cpu_seconds(pid)
        await asyncio.sleep(self.idle_seconds)
        costs.cores.append((cpu_seconds(pid) - before) / self.idle_seconds)
        costs.resident_bytes.append(resident_bytes(pid))
        costs.sign_ins.extend([await people.sign_in(number) for number in others])
