"""A group of worker processes that join, leave, crash and pause."""

import asyncio
import os
import re
import signal
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from deploy.local.child_process import tail
from tests.forks import ForkedChild
from tests.integration.rebalance.worker import Plan
from tests.polling import eventually

STOP_SECONDS: Final = 15.0


class Worker:
    """One worker process."""

    def __init__(self, plan: Plan, log_path: Path) -> None:
        self.plan = plan
        self.child = ForkedChild([sys.executable, "-m", "tests.integration.rebalance.worker", plan.to_json()], log_path)

    @property
    def generation(self) -> int:
        """The last generation in which it was ready; 0 before the first."""
        found = re.findall(r"READY (\d+)$", self.output, re.MULTILINE)
        return int(found[-1]) if found else 0

    @property
    def output(self) -> str:
        """What it has printed."""
        return self.child.log_path.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.child.pid, number)


@dataclass
class Group:
    """The workers of one consumer group.

    Attributes:
        plan: How each works.
        directory: Where copies and logs are.
        workers: Those that are in the group.

    """

    plan: Plan
    directory: Path
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    def start(self, copy: str | None = None) -> Worker:
        """Start another worker.

        Args:
            copy: The folder of its copy; None gives it a new one.

        """
        self.started += 1
        folder = copy or str(self.directory / f"copy-{self.started}")
        worker = Worker(replace(self.plan, directory=folder), self.directory / f"worker-{self.started}.log")
        self.workers.append(worker)
        return worker

    async def join(self, copy: str | None = None) -> Worker:
        """Start another worker, and wait until all workers are ready in a new generation."""
        before = self.generation
        worker = self.start(copy)
        await self.settle(before)
        return worker

    async def leave(self, worker: Worker) -> None:
        """Stop a worker cleanly and wait until the others are ready without it."""
        before = self.generation
        self.workers.remove(worker)
        await asyncio.to_thread(worker.child.stop, STOP_SECONDS)
        assert worker.child.exit_code == 0, tail(worker.child.log_path)
        await self.settle(before)

    async def crashed(self, worker: Worker) -> None:
        """Wait until a worker has ended with an error."""
        self.workers.remove(worker)
        await eventually(lambda: worker.child.exit_code is not None, "the worker goes on")
        assert worker.child.exit_code == 1, tail(worker.child.log_path)

    async def kill(self, worker: Worker) -> None:
        """Kill a worker, without waiting for the others."""
        self.workers.remove(worker)
        await asyncio.to_thread(worker.child.kill)

    @property
    def generation(self) -> int:
        """The last generation in which any worker was ready."""
        return max((each.generation for each in self.workers), default=0)

    async def settle(self, before: int, among: int | None = None) -> None:
        """Wait until workers are ready in a generation after a given one.

        Args:
            before: The given generation.
            among: How many of them, the newest; None is all.

        """

        def settled() -> bool:
            watched = self.workers[-among:] if among else self.workers
            for each in watched:
                assert each.child.exit_code is None, tail(each.child.log_path)
            generations = {each.generation for each in watched}
            return not watched or (len(generations) == 1 and generations.pop() > before)

        await eventually(settled, "the group does not settle")

    async def stop(self) -> None:
        """Kill the running workers in parallel."""
        await asyncio.gather(*(asyncio.to_thread(each.child.kill) for each in self.workers))
