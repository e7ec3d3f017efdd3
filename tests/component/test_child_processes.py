"""Child processes stop when asked, are killed when they will not, and their logs stay within bounds."""

import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from deploy.local.child_process import KEPT_LOGS, Child, rotate_log, tail, truncate_log
from deploy.local.ports import PortTakenError, free_port, require_free
from tests.polling import DEADLINE_SECONDS


def python(code: str, log: Path) -> Child:
    """Start a Python program, and wait until it has said that it is there."""
    child = Child([sys.executable, "-c", code], log)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "ready" not in tail(log):
        assert time.monotonic() < deadline, tail(log)
    return child


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    child = python(stubborn, tmp_path / "log")
    child.stop(timeout_seconds=0.1)

    assert child.exit_code == -signal.SIGKILL


def test_a_child_that_obeys_ends_in_its_own_way(tmp_path: Path) -> None:
    obedient = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(7)); print('ready', flush=True)\n"
    child = python(obedient + "time.sleep(60)", tmp_path / "log")
    child.stop(DEADLINE_SECONDS)

    assert child.exit_code == 7


def test_earlier_logs_are_set_aside_and_the_oldest_goes(tmp_path: Path) -> None:
    log = tmp_path / "login.log"
    runs = range(KEPT_LOGS + 2)
    for run in runs:
        rotate_log(log)
        log.write_text(str(run))

    assert log.read_text() == str(runs[-1])
    kept = [log.with_name(f"login.log.{number}").read_text() for number in range(1, KEPT_LOGS + 1)]
    assert kept == [str(run) for run in reversed(runs[1:-1])]
    assert len(list(tmp_path.iterdir())) == 1 + KEPT_LOGS


def test_a_log_is_cut_while_its_process_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "login.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100)
        truncate_log(log, max_bytes=99)
        writer.write(b"b")

    assert log.read_bytes() == b"b"
    assert log.with_name("login.log.1").read_bytes() == b"a" * 100


def test_a_taken_port_is_refused_with_who_needs_it() -> None:
    port = free_port()
    require_free(port, "the login service")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTakenError, match=rf"^Port {port} is already"):
        require_free(port, "the login service")
