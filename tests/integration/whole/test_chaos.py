"""`make chaos` as README.md gives it, for a shorter time: several of everything, broken while people sign in."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.polling import DEADLINE_SECONDS, POLL_SECONDS
from tests.readme import ROOT, shown_commands

LONGEST_SECONDS: Final = 1100
STOP_SECONDS: Final = 60
FAULTS: Final = ("roll", "pause-instance", "kill-controller")
CLAIMS: Final = 20
SHORT: Final = (
    "--seed 5 --partitions 2 --people 4 --pause-seconds 2 --poison-seconds 0.5 "
    f"--most-faults {len(FAULTS)} {' '.join(f'--only {fault}' for fault in FAULTS)}"
)
CANNOT: Final = "chaos] Error 2"
"""What make says where this machine cannot do it."""


@contextmanager
def chaos(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command that README.md shows, with less to do; its temporary folder is made in the given one."""
    (command,) = [each for each in shown_commands() if each[:2] == ["make", "chaos"]]
    assert command == ["make", "chaos"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    with subprocess.Popen(
        [*command, f"ARGS={SHORT}"],
        cwd=ROOT,
        env={**environment, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


@pytest.mark.timeout(LONGEST_SECONDS + 60)
def test_nothing_is_lost_doubled_or_forged_over_a_few_faults(tmp_path: Path) -> None:
    with chaos(tmp_path) as running:
        shown, complaints = running.communicate(timeout=LONGEST_SECONDS)
    if CANNOT in complaints:
        pytest.skip(shown.strip())
    assert running.returncode == 0, f"{shown}\n{complaints[-4000:]}"
    assert sorted(re.findall(r"^ +\d+ s  (\S+)", shown, re.MULTILINE)) == sorted(FAULTS)
    assert shown.count(": holds") == CLAIMS, shown
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    with chaos(tmp_path) as running:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while running.poll() is None and not (list(tmp_path.glob("*/logs/kafka-console.log")) and started_in(tmp_path)):
            assert time.monotonic() < deadline
            time.sleep(POLL_SECONDS)
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGINT)
        shown, complaints = running.communicate(timeout=STOP_SECONDS)
    if CANNOT in complaints:
        pytest.skip(shown.strip())
    assert shown.splitlines()[-1] == "Interrupted. All of it was stopped.", complaints
    assert started_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def started_in(folder: Path) -> list[str]:
    """Return the commands of processes that have to do with a folder."""
    commands = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(path.read_text().replace("\0", " "))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [each for each in commands if str(folder) in each]
