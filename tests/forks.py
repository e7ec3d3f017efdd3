"""Services that tests start are forked from one process that has imported them, for their imports are most of a start.

What runs is the same program in a process of its own. Programs that tests start (`make run`, the chaos run) start their
services as they do everywhere.
"""

import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.local.child_process import Child

PRELOADED: Final = ("services.login.app", "services.pairing.app", "services.push.app")
_PYTHON_MODULE: Final = [sys.executable, "-m"]
_PR_SET_PDEATHSIG: Final = 1
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(PRELOADED))


class ForkedChild:
    """A Python module that runs in a process of its own, as `deploy.local.child_process.Child` would run it.

    Attributes:
        log_path: The file that its output is appended to.

    """

    def __init__(self, command: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start it.

        Args:
            command: What `Child` would run: ``python -m MODULE ARGUMENTS…``.
            log_path: The file that its output is appended to.
            environment: Variables on top of this program's own.

        """
        module, *arguments = command[len(_PYTHON_MODULE) :]
        variables = {**os.environ, **(environment or {})}
        log_path.touch()
        self._process = _CONTEXT.Process(
            target=_become, args=(module, arguments, str(log_path), variables), daemon=True
        )
        self._process.start()
        self._reading = threading.Lock()
        self.log_path = log_path

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """The exit code; negative, the signal that ended it; None while it runs."""
        with self._reading:
            return self._process.exitcode

    def terminate(self) -> None:
        """Ask it to stop (SIGTERM); returns at once."""
        if self.exit_code is None:
            self._process.terminate()

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to stop, and kill it if it has not after the given time."""
        self.terminate()
        self._process.join(timeout_seconds)
        if self.exit_code is None:
            self.kill()

    def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._process.join()


def child_of(
    command: Sequence[str], log_path: Path, environment: Mapping[str, str] | None = None
) -> Child | ForkedChild:
    """Start a command: a Python module of ours by a fork, everything else as ever."""
    forks = list(command[: len(_PYTHON_MODULE)]) == _PYTHON_MODULE
    return (ForkedChild if forks else Child)(command, log_path, environment)


def _become(module: str, arguments: list[str], log: str, environment: dict[str, str]) -> None:
    """Be that program from here on."""
    os.setsid()
    # It ends with the process that it was forked from, which ends with the tests.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(output, stream.fileno())
    os.close(output)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
