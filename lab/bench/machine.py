"""What a machine is, for whoever reads figures that were taken on it."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lab.bench.trees import ROOT

_LOOPS: Final = 5_000_000
_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine, and what ran on it.

    Attributes:
        processor: Its processor's name.
        cores: How many cores.
        memory_mebibytes: How much memory.
        system: The operating system.
        python: Python's version.
        java: Java's version.
        loops_per_second: Passes of an empty Python loop in a second, in millions.
        load: The system's load over the minute before.
        revision: What Git calls the working tree; empty without Git.
        at: When, in UTC.

    """

    processor: str
    cores: int
    memory_mebibytes: int
    system: str
    python: str
    java: str
    loops_per_second: float
    load: float
    revision: str
    at: str

    def __str__(self) -> str:
        """Return it in a sentence."""
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_mebibytes / 1024:.0f} GiB of memory, {self.system}, "
            f"Python {self.python}, {self.java}; {self.loops_per_second:.0f} million passes a second of an empty "
            f"Python loop, load {self.load:.1f} before. Revision {self.revision or 'unknown'}, {self.at}."
        )


def this_machine() -> Machine:
    """Return this machine."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_mebibytes=pages // _MEBIBYTE,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        java=_output("java", "-version"),
        loops_per_second=_loops_per_second() / 1e6,
        load=os.getloadavg()[0],
        revision=_output("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"),
        at=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    )


def _processor() -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _loops_per_second() -> float:
    started = time.process_time()
    for _ in range(_LOOPS):
        pass
    return _LOOPS / (time.process_time() - started)


def _output(*command: str) -> str:
    """Return the first line that a program prints; empty if it cannot."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("NOTE:")]
    return lines[0].strip() if lines else ""
