"""An event loop with virtual time whose every choice follows from a seed.

Source of the idea: FoundationDB's deterministic simulation. Nothing waits: time jumps to the next timer.
"""

import asyncio
import heapq
import time
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from itertools import count
from random import Random
from typing import Any, Final, TypeVar

MOST_CANCELLATIONS: Final = 20
EPOCH_SECONDS: Final = 1_800_000_000.0
"""The Unix time at which each simulation begins."""
PROCESS: Final[ContextVar["Process | None"]] = ContextVar("process", default=None)
ResultT = TypeVar("ResultT")


class DeadlockError(Exception):
    """Nothing is left that could go on."""


class Process:
    """A simulated process: what it runs stands still while it is paused, and for ever once it is killed.

    Attributes:
        name: Its name, for the story of a seed.
        killed: True once it is killed. Its tasks are never finished, as after SIGKILL: no ``finally`` runs.
        paused: True while it stands still, as after SIGSTOP.

    """

    __slots__ = ("killed", "name", "paused")

    def __init__(self, name: str) -> None:
        self.name = name
        self.killed = False
        self.paused = False

    def run(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run work as a part of the process."""
        context = Context()
        context.run(PROCESS.set, self)
        return asyncio.get_running_loop().create_task(work, name=self.name, context=context)


class _Task(asyncio.Task[Any]):
    """A task whose place in a set does not depend on the memory's layout: `asyncio.TaskGroup` cancels in that order."""

    numbers = count()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._number = next(self.numbers)
        super().__init__(*arguments, **options)

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs what is ready in an order that the seed chooses; what one task does stays in order.

    Attributes:
        steps: How many steps have run.

    """

    def __init__(self, random: Random) -> None:
        """Take what decides."""
        super().__init__()
        self._chance = random.random
        self._now = 0.0
        self._ready: list[events.Handle] = []  # asyncio's queue; it appends only
        self._scheduled: list[events.TimerHandle] = []  # asyncio's heap
        self._held: list[events.Handle] = []
        self._dropped: list[events.Handle] = []  # else Python would end the tasks of killed processes
        self._ended = False
        self.steps = 0
        _Task.numbers = count()
        self.set_task_factory(lambda loop, work, **options: _Task(work, loop=loop, **options))

    def time(self) -> float:
        """Return the seconds since the simulation began."""
        return self._now

    def resume(self) -> None:
        """Go on with what was held back of paused processes."""
        self._ready.extend(self._held)
        self._held.clear()

    def _run_once(self) -> None:
        """Run one thing that is ready, or else move the clock to the next timer."""
        timers: list[events.TimerHandle] = self._scheduled
        ready = self._ready
        if not ready:
            while timers and timers[0].cancelled():
                heapq.heappop(timers)._scheduled = False  # type: ignore[attr-defined] # noqa: SLF001 - as asyncio does
            if not timers:
                raise DeadlockError
            self._now = max(self._now, timers[0].when())
        while timers and timers[0].when() <= self._now:
            timer = heapq.heappop(timers)
            timer._scheduled = False  # type: ignore[attr-defined] # noqa: SLF001 - as asyncio does
            ready.append(timer)
        # A task has one handle here at most, so any order keeps what one task does in order.
        handle = ready.pop()
        if ready:
            place = int(self._chance() * (len(ready) + 1))
            if place < len(ready):
                handle, ready[place] = ready[place], handle
        if handle.cancelled():
            return
        process: Process | None = handle._context.get(PROCESS)  # type: ignore[attr-defined] # noqa: SLF001 - asyncio has no other way
        if process is not None and (process.killed or process.paused) and not self._ended:
            (self._dropped if process.killed else self._held).append(handle)
            return
        self.steps += 1
        handle._run()  # noqa: SLF001 - as asyncio does

    def end(self) -> None:
        """Let go of all tasks, those of killed processes as well, whatever they answer to it."""
        self.set_exception_handler(lambda _loop, _context: None)
        self._ended = True
        self.resume()
        self._ready.extend(self._dropped)
        self._dropped.clear()
        for _ in range(MOST_CANCELLATIONS):
            tasks = asyncio.all_tasks(self)
            if not tasks:
                return
            for task in tasks:
                task.cancel()
            self.run_until_complete(asyncio.sleep(1.0))

    def _process_events(self, event_list: list[object]) -> None:
        """There are no files."""

    def _write_to_self(self) -> None:
        """There are no threads."""


def simulate(random: Random, main: Callable[[SimulatedLoop], Coroutine[Any, Any, ResultT]]) -> ResultT:
    """Run a coroutine to its end in virtual time.

    Raises:
        DeadlockError: If it waits for something that cannot come.

    """
    loop = SimulatedLoop(random)
    with _clocks_of(loop):
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(main(loop))
        finally:
            loop.end()
            asyncio.set_event_loop(None)
            loop.close()


@contextmanager
def _clocks_of(loop: SimulatedLoop) -> Iterator[None]:
    """Have the clocks of the standard library show the simulation's time."""
    kept = time.time, time.monotonic
    time.time, time.monotonic = lambda: EPOCH_SECONDS + loop.time(), loop.time
    try:
        yield
    finally:
        time.time, time.monotonic = kept
