"""How long each service takes to start, with its disk and without, and what it takes of the machine then."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from deploy.local.instance_process import InstanceProcess
from deploy.local.stack import READY_TIMEOUT_SECONDS, Stack
from lab.load.processes import cpu_seconds, disk_bytes, resident_bytes
from services.common.progress import Progress


class Disk(StrEnum):
    """What a service finds on its disk."""

    COLD = "cold"
    WARM = "warm"


@dataclass(frozen=True, slots=True)
class Start:
    """One start of one service.

    Attributes:
        service: Its name.
        disk: What it found on its disk.
        seconds: From the process's start until it served.
        cpu_seconds: The CPU time that it used until then.
        resident_bytes: Its memory then.
        disk_bytes: What its disk held then.

    """

    service: str
    disk: Disk
    seconds: float
    cpu_seconds: float
    resident_bytes: int
    disk_bytes: int


def measure_starts(
    stack: Stack, names: Iterable[str], rounds: int, on_progress: Callable[[Progress, str], None]
) -> Iterator[Start]:
    """Start services of a stack one by one, cold and then warm, again and again.

    Args:
        stack: The stack; its Kafka runs, and nothing else of it.
        names: The instances.
        rounds: How often.
        on_progress: Takes how far it is, and how far the starting one is.

    """
    todo = [(stack.instances[name], disk) for _ in range(rounds) for name in names for disk in Disk]
    for done, (instance, disk) in enumerate(todo):
        progress = Progress(done, len(todo))
        yield _start(stack, instance, disk, partial(on_progress, progress))
    on_progress(Progress(len(todo), len(todo)), "")


def _start(stack: Stack, instance: InstanceProcess, disk: Disk, show: Callable[[str], None]) -> Start:
    directory = stack.data_directory(instance.name)
    if disk is Disk.COLD:
        shutil.rmtree(directory, ignore_errors=True)
    started = time.perf_counter()
    instance.start()
    try:
        instance.await_ready(READY_TIMEOUT_SECONDS, lambda reason: show(f"{instance.name}, {disk} disk: {reason}"))
        seconds, pid = time.perf_counter() - started, instance.pid or 0
        return Start(instance.service, disk, seconds, cpu_seconds(pid), resident_bytes(pid), disk_bytes(directory))
    finally:
        instance.stop()
