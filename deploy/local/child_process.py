"""Child processes that are stopped with their whole group, and that do not outlive whoever started them."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

# The kernel ties "my parent died" to the thread that started the child, so all children are started by this one thread:
# it lives as long as this program does, whichever thread asked.
_SPAWNER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")
_TAIL_BYTES: Final = 4096


class Child:
    """One child process.

    It leads a session of its own, so that a Ctrl-C in the terminal reaches the supervisor alone, which then stops its
    children in the right order. Because nothing else would end it then, the kernel sends it SIGTERM when this program
    dies in any way (prctl PR_SET_PDEATHSIG, which util-linux's setpriv sets before it becomes the child's program;
    other systems have no such thing).
    """

    def __init__(self, command: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            command: The program and its arguments.
            log_path: The file that its output is appended to.
            environment: Variables on top of this program's own.

        """
        leash = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with log_path.open("ab") as log:
            self._process = _SPAWNER.submit(_start, [*leash, *command], log, environment or {}).result()
        self.log_path = log_path
        self._asked = False

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative, the signal that ended it; None while it runs."""
        return self._process.poll()

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM), once; returns at once."""
        if self.exit_code is None and not self._asked:
            self._asked = True
            self._process.terminate()

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to stop, and kill it if it has not after the given time."""
        self.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and what it started with SIGKILL, as a crash would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()


class Daemon:
    """A process that can be started as often as one likes.

    Attributes:
        name: What people call it.
        log_path: Its log.

    """

    def __init__(self, name: str, log_path: Path, stop_seconds: float) -> None:
        """Prepare it; nothing is started yet.

        Args:
            name: What people call it.
            log_path: Its log.
            stop_seconds: How long its stop may take.

        """
        self.name = name
        self.log_path = log_path
        self._stop_seconds = stop_seconds
        self._process: Child | None = None

    @property
    def pid(self) -> int | None:
        """The id of its process, None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How its process ended; None while it runs or before it started."""
        return None if self._process is None else self._process.exit_code

    def terminate(self) -> None:
        """Ask it to stop; returns at once."""
        if self._process is not None:
            self._process.terminate()

    def stop(self, timeout_seconds: float | None = None) -> None:
        """Stop it, with SIGKILL if it takes longer than the given time, or than its own."""
        if self._process is not None:
            self._process.stop(self._stop_seconds if timeout_seconds is None else timeout_seconds)

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    def suspend(self) -> None:
        """Stop its clockwork (SIGSTOP): it neither works nor ends until `resume`."""
        if self._process is not None and self._process.exit_code is None:
            os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it work on (SIGCONT)."""
        if self._process is not None and self._process.exit_code is None:
            os.kill(self._process.pid, signal.SIGCONT)


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
    """Return the last lines of a log file, at most 4 KiB; empty if there is none."""
    if not path.exists():
        return ""
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        return log.read().decode(errors="replace").strip()
