"""`make bench` in a short form: all of it is measured, without an error, and nothing stays behind. No time fails it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.polling import POLL_SECONDS
from tests.readme import ROOT

LONGEST_SECONDS: Final = 560
STOP_SECONDS: Final = 60
SHORT: Final = (
    "--seconds 1 --warm-seconds 0.5 --warm-up-seconds 1 --idle-seconds 0.5 --at 1 --at 4 --phones 12 --accounts 200"
)
TOPICS: Final = {"login.commands", "auth.challenge", "auth.response", "login-accounts-changelog"}


@contextmanager
def bench(folder: Path, arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start the program behind `make bench`; its temporary folder is made in the given one."""
    with subprocess.Popen(
        [sys.executable, "-m", "lab.bench", *arguments.split()],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
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


def started_in(folder: Path) -> list[str]:
    """Return the commands of all processes that have a folder for their temporary files."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"TMPDIR={folder}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def await_none_in(folder: Path) -> None:
    """Wait until all of them have ended: what the kernel ends with its parent may need a moment."""
    deadline = time.monotonic() + STOP_SECONDS
    while started_in(folder) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    assert not started_in(folder)


@pytest.mark.timeout(LONGEST_SECONDS + 40)
def test_all_is_measured_without_an_error(tmp_path: Path) -> None:
    written = tmp_path / "found.json"
    with bench(tmp_path, f"{SHORT} --json {written}") as running:
        shown, said = running.communicate(timeout=LONGEST_SECONDS)
    assert running.returncode == 0, f"{shown}\n{said[-4000:]}"
    found = json.loads(written.read_text())
    assert [(each["what"]["at_once"], each["hashed"]) for each in found["logins"]] == [
        (1, False),
        (4, False),
        (1, True),
        (4, True),
    ]
    assert all(each["what"]["everything"] and each["floor"]["per_second"] for each in found["logins"])
    assert {each["topic"] for each in found["kafka"][0]["topics"]} >= TOPICS
    assert found["kafka"][0]["requests"]["Produce"] > 0
    assert found["pairings"]["what"]["everything"] > 0
    assert found["codes"]["what"]["everything"] > 0
    assert found["phones"]["asked"]["everything"] == 12
    assert found["accounts"][0]["accounts"] >= 200
    assert found["starts"]["resident_mebibytes"].keys() == {"login", "pairing", "push", "kafka"}
    await_none_in(tmp_path)


@pytest.mark.timeout(LONGEST_SECONDS + 40)
def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path) -> None:
    with bench(tmp_path, f"{SHORT} --part logins") as running:
        for line in running.stderr or ():
            if "Accounts" in line:  # Kafka runs, and then the services start
                break
        assert started_in(tmp_path)
        running.send_signal(signal.SIGINT)
        assert running.wait(STOP_SECONDS) == 130
    await_none_in(tmp_path)
    assert not list(tmp_path.iterdir())
