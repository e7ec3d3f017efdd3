"""The progress of a long operation, and its log line every few seconds."""

import time
from dataclasses import dataclass
from typing import Final

import structlog

log = structlog.get_logger(__name__)
EVERY_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of reading records.

    Attributes:
        done: The number of records read.
        total: The number of records to read.

    """

    done: int
    total: int

    @property
    def complete(self) -> bool:
        """True once all records are read."""
        return self.done >= self.total

    @property
    def percent(self) -> int:
        """Whole per cent; 100 only once all records are read."""
        return 100 if self.complete else 100 * self.done // self.total


class ProgressLog:
    """Logs progress, at most one line every five seconds; a shorter operation logs nothing."""

    def __init__(self, event: str, **context: object) -> None:
        """Start the interval.

        Args:
            event: The log event.
            context: Further fields of each line.

        """
        self._log = log.bind(**context)
        self._event = event
        self._last = time.monotonic()

    def update(self, progress: Progress) -> None:
        """Log the progress if the last line is old enough."""
        if time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            self._log.info(self._event, records=progress.done, of=progress.total, percent=progress.percent)
