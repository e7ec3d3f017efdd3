"""One pass: clients do something for a while, and CPU time and latencies are taken in its part that counts."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lab.bench.client.driving import Job, Samples, Window
from lab.bench.client.process import ClientProcess
from lab.bench.statistics import Figures, Latencies
from lab.load.processes import cpu_seconds
from services.common.progress import Progress

CLIENT: Final = "client"
_LOOK_SECONDS: Final = 0.05
_LEAD_SECONDS: Final = 0.2
ShowProgress = Callable[[str, Progress], None]
"""Takes what is being done, and how far it is."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long a pass is.

    Attributes:
        warm: Seconds of its warm-up, which goes on into the part that counts.
        counted: Seconds of the part that counts.

    """

    warm: float
    counted: float


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass came to.

    Attributes:
        title: What was done.
        at_once: How many did it at a time.
        done: How often it was done in the part that counts.
        everything: How often it was done in all.
        seconds: How long that part was.
        latencies: How long each took.
        cpu_ms: CPU milliseconds for each one, by process; ``client`` is who did it.
        requests: HTTP requests for each one.
        errors: The texts of those that failed, in the warm-up too.

    """

    title: str
    at_once: int
    done: int
    everything: int
    seconds: float
    latencies: Latencies
    cpu_ms: Mapping[str, float]
    requests: float
    errors: Sequence[str] = field(default=())

    @property
    def per_second(self) -> float:
        """How many were done a second."""
        return self.done / self.seconds if self.seconds else 0.0

    @property
    def server_cpu_ms(self) -> float:
        """CPU milliseconds for each one, without the clients'."""
        return sum(spent for name, spent in self.cpu_ms.items() if name != CLIENT)

    @property
    def figures(self) -> Figures:
        """What revisions are compared by."""
        return Figures(self.per_second, self.latencies.p50, self.server_cpu_ms)


@dataclass(frozen=True, slots=True)
class PassRunner:
    """Has client processes do something, and measures meanwhile.

    Attributes:
        clients: The client processes.
        show: Shows how far it is.
        failed: A line for each pass in which something failed: how often, and the first error.

    """

    clients: Sequence[ClientProcess]
    show: ShowProgress
    failed: list[str] = field(default_factory=list)

    def split(self, at_once: int) -> list[int]:
        """Divide how many do something at a time among the client processes; each that is needed does at least one."""
        parts = min(at_once, len(self.clients))
        return [at_once // parts + (place < at_once % parts) for place in range(parts)]

    def prepare(self, title: str, jobs: Sequence[Job]) -> list[ClientProcess]:
        """Have clients prepare a job each, and return those that have one when they are prepared.

        Raises:
            ClientError: If one cannot.

        """
        self.show(title, Progress(0, 1))
        busy = list(self.clients[: len(jobs)])
        for client, job in zip(busy, jobs, strict=True):
            client.prepare(job)
        for client in busy:
            client.await_prepared()
        return busy

    def run(
        self, title: str, at_once: int, busy: Sequence[ClientProcess], pids: Mapping[str, int], times: Times
    ) -> Pass:
        """Have prepared clients begin, and measure until the pass ends or all have done what they could.

        Args:
            title: What is done.
            at_once: How many do it at a time.
            busy: The clients.
            pids: The processes whose CPU time is taken, by name.
            times: How long it is.

        Raises:
            ClientError: If a client could not do its job at all.

        """
        started = time.monotonic() + _LEAD_SECONDS
        window = Window(started + times.warm, started + times.warm + times.counted)
        for client in busy:
            client.begin(window)
        self._wait(title, busy, started, window.counts_from, window.until)
        before = _spent(busy, pids)
        self._wait(title, busy, started, window.until, window.until)
        used = {name: seconds - before[name] for name, seconds in _spent(busy, pids).items()}
        ended = min(time.monotonic(), window.until)
        samples = [client.samples() for client in busy]
        found = summarize(title, samples, Window(window.counts_from, ended), used, at_once)
        if found.errors:
            self.failed.append(f"{title}: {len(found.errors)} errors, the first one: {found.errors[0]}")
        return found

    def _wait(self, title: str, busy: Sequence[ClientProcess], started: float, until: float, end: float) -> None:
        while (now := time.monotonic()) < until and not all(client.is_done for client in busy):
            tenths = int(10 * (end - started))
            self.show(title, Progress(min(tenths, max(0, int(10 * (now - started)))), tenths))
            time.sleep(_LOOK_SECONDS)


def _spent(busy: Sequence[ClientProcess], pids: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds of each process since its start, the clients' in one sum."""
    clients = sum(cpu_seconds(client.pid) for client in busy)
    return {**{name: cpu_seconds(pid) for name, pid in pids.items()}, CLIENT: clients}


def share(people: range, parts: int) -> list[range]:
    """Divide people among client processes, as evenly as can be; there may be fewer parts than asked for."""
    size = math.ceil(len(people) / parts)
    return [people[place : place + size] for place in range(0, len(people), size)]


def summarize(title: str, samples: Sequence[Samples], window: Window, used: Mapping[str, float], at_once: int) -> Pass:
    """Return what a pass came to.

    Args:
        title: What was done.
        samples: What each client did.
        window: The part that counts.
        used: The CPU seconds of that part, by process.
        at_once: How many did it at a time.

    """
    counted = [
        seconds
        for each in samples
        for ended, seconds in zip(each.ended, each.seconds, strict=True)
        if window.counts_from <= ended <= window.until
    ]
    everything = sum(len(each.seconds) for each in samples)
    return Pass(
        title=title,
        at_once=at_once,
        done=len(counted),
        everything=everything,
        seconds=window.until - window.counts_from,
        latencies=Latencies.of(counted),
        cpu_ms={name: 1000 * seconds / max(1, len(counted)) for name, seconds in used.items()},
        requests=sum(each.requests for each in samples) / max(1, everything),
        errors=[error for each in samples for error in each.errors],
    )
