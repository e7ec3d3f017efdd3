"""Child processes stop on SIGTERM or are killed, and their logs are bounded."""

import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.local.child_process import KEPT_LOGS, Child, rotate_log, tail, truncate_log
from deploy.local.ports import PortTakenError, free_port, require_free
from tests.polling import DEADLINE_SECONDS


def python(code: str, log: Path) -> Child:
    """Start a Python program, and wait until it prints that it is ready."""
    child = Child([sys.executable, "-c", code], log)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while "ready" not in tail(log):
        assert time.monotonic() < deadline, tail(log)
    return child


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    child = python(stubborn, tmp_path / "log")
    child.stop(timeout_seconds=0.1)

    assert child.exit_code == -signal.SIGKILL


def test_a_child_that_handles_sigterm_ends_with_its_own_status(tmp_path: Path) -> None:
    obedient = "import signal, sys, time\nsignal.signal(15, lambda *_: sys.exit(7)); print('ready', flush=True)\n"
    child = python(obedient + "time.sleep(60)", tmp_path / "log")
    child.stop(DEADLINE_SECONDS)

    assert child.exit_code == 7


def test_a_child_whose_start_was_interrupted_ends_with_the_program(tmp_path: Path) -> None:
    seconds = f"3600.{secrets.randbelow(10**9)}"
    program = (
        "import sys\nfrom concurrent.futures import Future\nfrom pathlib import Path\n"
        "from deploy.local.child_process import Child\nresult = Future.result\n"
        "def interrupted(future):\n    result(future)\n    raise KeyboardInterrupt\n"
        "Child(['true'], Path(sys.argv[1]))\nFuture.result = interrupted\n"
        "stubborn = ['sh', '-c', f\"trap '' TERM; exec sleep {sys.argv[2]}\"]\n"
        "try:\n    Child(stubborn, Path(sys.argv[1]))\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "log"), seconds]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)

    assert ended.stdout == "interrupted\n"
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(seconds.encode() in each for each in running)


def test_a_program_ends_though_its_first_start_of_a_child_was_interrupted(tmp_path: Path) -> None:
    program = (
        "import sys, threading\nfrom pathlib import Path\nfrom deploy.local.child_process import Child\n"
        "wait = threading.Event.wait\n"
        "def interrupted(event, timeout=None):\n"  # which a thread's start waits for
        "    wait(event, timeout)\n    threading.Event.wait = wait\n    raise KeyboardInterrupt\n"
        "threading.Event.wait = interrupted\n"
        "try:\n    Child(['true'], Path(sys.argv[1]))\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "log")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)

    assert ended.stdout == "interrupted\n"


def test_earlier_logs_are_rotated_and_the_oldest_is_deleted(tmp_path: Path) -> None:
    log = tmp_path / "login.log"
    runs = range(KEPT_LOGS + 2)
    for run in runs:
        rotate_log(log)
        log.write_text(str(run))

    assert log.read_text() == str(runs[-1])
    kept = [log.with_name(f"login.log.{number}").read_text() for number in range(1, KEPT_LOGS + 1)]
    assert kept == [str(run) for run in reversed(runs[1:-1])]
    assert len(list(tmp_path.iterdir())) == 1 + KEPT_LOGS


def test_a_log_is_truncated_while_its_process_keeps_writing(tmp_path: Path) -> None:
    log = tmp_path / "login.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 100)
        truncate_log(log, max_bytes=99)
        writer.write(b"b")

    assert log.read_bytes() == b"b"
    assert log.with_name("login.log.1").read_bytes() == b"a" * 100


def test_a_free_port_is_given_to_one_process() -> None:
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
    program = (
        "import sys\nfrom deploy.local import ports\n"
        "print([each for each in sys.argv[1:] if ports._reserve(int(each))])"
    )
    command = [sys.executable, "-c", program, *map(str, ports)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)
    assert ended.stdout == "[]\n"


def test_a_used_port_is_an_error_that_names_its_user() -> None:
    port = free_port()
    require_free(port, "the login service")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(PortTakenError, match=rf"^Port {port} is already"):
        require_free(port, "the login service")
