"""Child processes, which stop with their process group and never outlive their parent, and their log files."""

import atexit
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import BinaryIO, Final

_TAIL_BYTES: Final = 4096
_LAST_START_SECONDS: Final = 10.0
MAX_LOG_BYTES: Final = 20 * 1024 * 1024
KEPT_LOGS: Final = 9


class Child:
    """One child process.

    It leads its own session, so that Ctrl-C in the terminal reaches only the supervisor, which then stops its children
    in the right order. If this program dies, the kernel sends the child SIGTERM (prctl PR_SET_PDEATHSIG, which
    util-linux's setpriv sets before it executes the program; Linux only).
    """

    def __init__(self, command: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start the process.

        Args:
            command: The program and its arguments.
            log_path: The file to which its output is appended.
            environment: Variables in addition to this program's own.

        """
        parent_death_signal = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with log_path.open("ab") as log:
            self._process = _SPAWNER.start([*parent_death_signal, *command], log, environment or {})
        self.log_path = log_path
        self._terminated = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code, or the negative number of the signal that ended it; None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Send SIGTERM once, without waiting."""
        if self.exit_code is None and not self._terminated:
            self._terminated = True
            self._process.terminate()

    def stop(self, timeout_seconds: float) -> None:
        """Send SIGTERM, and SIGKILL after the timeout."""
        self.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL to it and its children, like a crash."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Daemon:
    """A process that can be restarted.

    Attributes:
        name: Its name for the user.
        log_path: Its log.

    """

    def __init__(self, name: str, log_path: Path, stop_seconds: float) -> None:
        """Prepare the process; a subclass starts it. After `stop_seconds`, a stop becomes SIGKILL."""
        self.name = name
        self.log_path = log_path
        self._stop_seconds = stop_seconds
        self._process: Child | None = None

    @property
    def pid(self) -> int | None:
        """Its process id; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code; None while it runs or before its start."""
        return None if self._process is None else self._process.exit_code

    def terminate(self) -> None:
        """Send SIGTERM, without waiting."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, timeout_seconds: float | None = None) -> None:
        """Send SIGTERM, and SIGKILL after the given or the default timeout."""
        if self._process is not None:
            self._process.stop(self._stop_seconds if timeout_seconds is None else timeout_seconds)

    def kill(self) -> None:
        """Send SIGKILL, like a crash."""
        if self._process is not None:
            self._process.kill()

    def suspend(self) -> None:
        """Freeze it (SIGSTOP) until `resume`."""
        if self._process is not None and self._process.exit_code is None:
            os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Continue it (SIGCONT)."""
        if self._process is not None and self._process.exit_code is None:
            os.kill(self._process.pid, signal.SIGCONT)


class _Spawner:
    """The thread that starts all children: the kernel's parent-death signal refers to the thread that started a child.

    It lives as long as the program, which ends it and kills what still runs. The thread is not of a pool: an interrupt
    during the pool's first `submit` leaves a thread that no one ends, and during a later one a child that no one knows.
    """

    def __init__(self) -> None:
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str], log: BinaryIO, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a child in that thread, and wait until it has started."""
        if self._thread is None:
            thread = Thread(target=self._run, name="spawner", daemon=True)
            thread.start()
            self._thread = thread
            atexit.register(self._close)
        started: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((started, command, log, environment))
        return started.result()

    def _run(self) -> None:
        while (order := self._orders.get()) is not None:
            started, command, log, environment = order
            try:
                child = _start(command, log, environment)
            except Exception as error:  # noqa: BLE001 - the caller gets it, whatever it is
                started.set_exception(error)
            else:
                self._children = [*(each for each in self._children if each.poll() is None), child]
                started.set_result(child)

    def _close(self) -> None:
        """Kill the children that still run, such as one whose start was interrupted."""
        self._orders.put(None)
        if self._thread is not None:
            self._thread.join(_LAST_START_SECONDS)
        for child in self._children:
            if child.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()


_Order = tuple[Future[subprocess.Popen[bytes]], list[str], BinaryIO, Mapping[str, str]]


_SPAWNER: Final = _Spawner()


def _start(command: list[str], log: BinaryIO, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={**os.environ, **environment},
        start_new_session=True,
    )


def tail(path: Path) -> str:
    """Return the end of a log file, at most 4 KiB; empty if the file is missing."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return log.read().decode(errors="replace").strip()


def rotate_log(log: Path) -> None:
    """Rename the log of the previous run: ``x.log`` becomes ``x.log.1``, and so on; the oldest one is deleted."""
    if not log.exists() or log.stat().st_size == 0:
        return
    for number in range(KEPT_LOGS, 0, -1):
        newer = _numbered(log, number - 1) if number > 1 else log
        if newer.exists():
            newer.replace(_numbered(log, number))


def truncate_log(log: Path, max_bytes: int = MAX_LOG_BYTES) -> None:
    """Copy a log that exceeds a size to ``x.log.1`` and truncate it, while its process keeps appending.

    Lines that the process writes between the copy and the truncation are lost.
    """
    if log.exists() and log.stat().st_size > max_bytes:
        shutil.copyfile(log, _numbered(log, 1))
        with log.open("r+b") as file:
            file.truncate()


def _numbered(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
