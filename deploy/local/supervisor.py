"""Keeps what was started running: what dies is started again, with growing pauses."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from deploy.local.kafka.broker import KafkaStartError
from deploy.local.log_files import keep_bounded
from deploy.local.ports import PortTakenError

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""Who has run this long had no trouble with its start: its next pause is the first one again."""


class Restartable(Protocol):
    """Something that runs as a process of its own and can be started again."""

    name: str
    log_path: Path

    @property
    def exit_code(self) -> int | None:
        """How its process ended; None while it runs."""

    def start(self) -> None:
        """Start it again."""


class Supervisor:
    """Looks after one process.

    `look` is called again and again; it never waits by itself.

    Attributes:
        subject: The process.

    """

    def __init__(self, subject: Restartable, say: Callable[[str], None], now: float | None = None) -> None:
        """Look after a process that has just been started.

        Args:
            subject: The process.
            say: Takes one line for whoever sits in front.
            now: The time, in seconds of the monotonic clock.

        """
        self.subject = subject
        self._say = say
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self._started_at = time.monotonic() if now is None else now
        self._start_at: float | None = None

    def look(self, now: float) -> None:
        """Start it again if it died and its pause is over.

        Args:
            now: The time, in seconds of the monotonic clock.

        """
        keep_bounded(self.subject.log_path)
        if self._start_at is not None:
            if now >= self._start_at:
                self._start_again(now)
        elif self.subject.exit_code is not None:
            self._plan(now, f"ended with status {self.subject.exit_code}")

    def _plan(self, now: float, why: str) -> None:
        if now - self._started_at >= STEADY_SECONDS:
            self._pause_seconds = FIRST_PAUSE_SECONDS
        name, log = self.subject.name, self.subject.log_path
        self._say(f"{name} {why}; it starts again in {self._pause_seconds:.0f} s. Its log: {log}")
        self._start_at = now + self._pause_seconds
        self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def _start_again(self, now: float) -> None:
        self._started_at = now
        self._start_at = None
        try:
            self.subject.start()
        except (KafkaStartError, PortTakenError) as error:
            self._plan(now, f"did not start ({str(error).splitlines()[0].rstrip(':')})")
