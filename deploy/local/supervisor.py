"""Restarts processes that die, with exponential backoff."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from deploy.local.child_process import truncate_log
from deploy.local.kafka.broker import KafkaStartError
from deploy.local.ports import PortTakenError

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""Uptime after which the next pause is the first one again."""


class Restartable(Protocol):
    """A process that can be restarted."""

    name: str
    log_path: Path

    @property
    def exit_code(self) -> int | None:
        """Its exit code; None while it runs."""

    def start(self) -> None:
        """Start it again."""


class Supervisor:
    """Restarts one process. The caller calls `check` periodically; it never blocks.

    Attributes:
        subject: The process.

    """

    def __init__(self, subject: Restartable, report: Callable[[str], None], now: float | None = None) -> None:
        """Supervise a process that has just been started.

        Args:
            subject: The process.
            report: Takes one line for the operator.
            now: The current time, in seconds of the monotonic clock.

        """
        self.subject = subject
        self._report = report
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._started_at = time.monotonic() if now is None else now
        self._start_at: float | None = None

    def check(self, now: float) -> None:
        """Restart the process if it died and its pause is over; `now` is the time of the monotonic clock in seconds."""
        truncate_log(self.subject.log_path)
        if self._start_at is not None:
            if now >= self._start_at:
                self._restart(now)
        elif self.subject.exit_code is not None:
            self._schedule(now, f"ended with status {self.subject.exit_code}")

    def _schedule(self, now: float, why: str) -> None:
        if now - self._started_at >= STEADY_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        name, log = self.subject.name, self.subject.log_path
        self._report(f"{name} {why}; it restarts in {self._pause_seconds:.0f} s. Its log: {log}")
        self._start_at = now + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def _restart(self, now: float) -> None:
        self._started_at = now
        self._start_at = None
        try:
            self.subject.start()
        except (KafkaStartError, PortTakenError) as error:
            self._schedule(now, f"did not start ({str(error).splitlines()[0].rstrip(':')})")
