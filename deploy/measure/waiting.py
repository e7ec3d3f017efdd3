"""What it costs that many people wait for their phones: memory and CPU of login, and the time of others' sign-ins."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from deploy.measure.people import People, Waiting
from deploy.measure.processes import cpu_seconds, resident_bytes
from deploy.measure.streams import open_streams
from services.common.progress import Progress

BEGIN_AT_ONCE: Final = 16
WARM_UP_SIGN_INS: Final = 3


@dataclass(slots=True)
class Costs:
    """What was measured, with people waiting or without.

    Attributes:
        sign_ins: The seconds of each sign-in.
        cores: The share of a core that login used while nobody did anything, in each round.
        resident_bytes: Login's memory in each round.

    """

    sign_ins: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)
    resident_bytes: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measurement:
    """How it is measured: in rounds, each without anybody waiting and then with all, so that noise hits both.

    Attributes:
        people: How many wait; they are the first ones of the seed.
        rounds: How many rounds.
        sign_ins: How many sign-ins are timed in each half of a round, each of somebody new.
        idle_seconds: How long nobody does anything in each half.

    """

    people: int
    rounds: int
    sign_ins: int
    idle_seconds: float

    @property
    def needed(self) -> int:
        """How many seeded people with phones it takes."""
        return self.people + WARM_UP_SIGN_INS + 2 * self.rounds * self.sign_ins

    async def run(self, people: People, on_progress: Callable[[str, Progress], None]) -> tuple[Costs, Costs]:
        """Measure.

        Args:
            people: The people, at a running stack with one login instance.
            on_progress: Told what is being done, and how far it is.

        Returns:
            The costs without people waiting, and with them.

        """
        waiting = await self._begin(people, on_progress)
        others = iter(range(self.people, self.needed))
        for _ in range(WARM_UP_SIGN_INS):
            await people.sign_in(next(others))
        without, with_all = Costs(), Costs()
        for done in range(self.rounds):
            on_progress("Rounds", Progress(done, self.rounds))
            await self._look(people, without, [next(others) for _ in range(self.sign_ins)])
            async with open_streams(people.stack.urls["login"].replace("localhost", "127.0.0.1"), waiting):
                await self._look(people, with_all, [next(others) for _ in range(self.sign_ins)])
        on_progress("Rounds", Progress(self.rounds, self.rounds))
        return without, with_all

    async def _begin(self, people: People, on_progress: Callable[[str, Progress], None]) -> Sequence[Waiting]:
        """Have everybody enter the password."""
        numbers = iter(range(self.people))
        waiting: list[Waiting] = []

        async def work() -> None:
            for number in numbers:
                waiting.append(await people.begin(number))
                on_progress("People enter their passwords", Progress(len(waiting), self.people))

        async with asyncio.TaskGroup() as group:
            for _ in range(BEGIN_AT_ONCE):
                group.create_task(work())
        return waiting

    async def _look(self, people: People, costs: Costs, others: Sequence[int]) -> None:
        pid = people.stack.instances["login"].pid or 0
        before = cpu_seconds(pid)
        await asyncio.sleep(self.idle_seconds)
        costs.cores.append((cpu_seconds(pid) - before) / self.idle_seconds)
        costs.resident_bytes.append(resident_bytes(pid))
        costs.sign_ins.extend([await people.sign_in(number) for number in others])
