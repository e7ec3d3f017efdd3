"""How far something long has come, and saying so now and then."""

import time
from dataclasses import dataclass
from typing import Final

import structlog

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of something is done.

    Attributes:
        done: Records that were read.
        total: Records that there are to read.

    """

    done: int
    total: int

    @property
    def complete(self) -> bool:
        """True when all is done."""
        return self.done >= self.total

    @property
    def percent(self) -> int:
        """Whole per cent, 100 only when all is done."""
        return 100 if self.complete else 100 * self.done // self.total


class ProgressLog:
    """Logs progress, at most one line each few seconds, and none of what takes less."""

    def __init__(self, event: str, **context: object) -> None:
        """Begin.

        Args:
            event: What is being done.
            context: What else stands in each line.

        """
        self._log = log.bind(**context)
        self._event = event
        self._last = time.monotonic()

    def note(self, progress: Progress) -> None:
        """Log how far it is, if it is time to."""
        if time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            self._log.info(self._event, records=progress.done, of=progress.total, percent=progress.percent)
