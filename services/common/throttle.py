"""Throttling: rate limits, and pauses after consecutive failures.

Source: NIST SP 800-63B-4, section 3.2.2 (rate limiting of failed attempts).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Moment

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Seconds = Annotated[int, Field(ge=1, le=30 * 24 * 60 * 60)]
_MOST_DOUBLINGS: Final = 20


class PauseLimits(BaseModel):
    """The number of consecutive failures before a pause, and the pause's length."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tries: Count
    """Consecutive failures before the first pause."""
    pause_seconds: Seconds
    """Length of the first pause; each further failure doubles it."""
    longest_pause_seconds: Seconds
    """Upper bound of a pause. If it equals the first, pauses do not grow, and each pause resets the count."""
    forget_after_seconds: Seconds | None = None
    """Time after which one failure is forgotten, and again for each further one; default never."""
    close_after: Count | None = None
    """Failures in a row, however old, that close it until something else opens it; default never."""

    def pause_end(self, failures: int, at: datetime) -> datetime | None:
        """Return the end of the pause after a failure, or None if there is no pause.

        Args:
            failures: The number of consecutive failures.
            at: The time of the last one.

        """
        if failures < self.tries:
            return None
        doublings = min(failures - self.tries, _MOST_DOUBLINGS)
        return at + timedelta(seconds=min(self.pause_seconds << doublings, self.longest_pause_seconds))

    @property
    def grows(self) -> bool:
        """True if further failures make pauses longer."""
        return self.longest_pause_seconds > self.pause_seconds


class WindowLimits(BaseModel):
    """A sliding-window rate limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    most: Count
    """Maximum count within the window."""
    window_seconds: Seconds
    """Length of the window."""

    def recent(self, moments: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
        """Return the moments within the window that ends at a time."""
        return tuple(each for each in moments if each > at - timedelta(seconds=self.window_seconds))

    def next_at(self, moments: tuple[datetime, ...], at: datetime) -> datetime | None:
        """Return when the next one is allowed, or None if it is allowed now.

        Args:
            moments: The times of the last ones, oldest first.
            at: The current time.

        """
        recent = self.recent(moments, at)
        if len(recent) < self.most:
            return None
        return recent[-self.most] + timedelta(seconds=self.window_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """The failures of one kind: a leaky bucket, whose overflow is a pause.

    Attributes:
        failures: The number of failures that are not forgotten.
        counted_from: The time from which the next one is forgotten.
        paused_until: The end of the pause, before which every attempt is rejected.
        in_a_row: The failures since the last success, forgotten ones included.

    """

    failures: int = 0
    counted_from: Moment | None = None
    paused_until: Moment | None = None
    in_a_row: int = 0

    def failed(self, at: datetime, limits: PauseLimits) -> "Throttle":
        """Return the throttle after one more failure, which may start a pause."""
        pause_over = self.paused_until is not None and at >= self.paused_until
        failures, counted_from = (0, at) if pause_over and not limits.grows else self._remembered(at, limits)
        return Throttle(
            failures=failures + 1,
            counted_from=counted_from,
            paused_until=limits.pause_end(failures + 1, at),
            in_a_row=self.in_a_row + 1,
        )

    def refunded(self, at: datetime, limits: PauseLimits) -> "Throttle":
        """Return the throttle after an attempt that was counted in advance has succeeded, which makes up for another.

        The pause that the attempt itself may have started is over.
        """
        failures, counted_from = self._remembered(at, limits)
        left = max(0, failures - 2)
        return Throttle(
            failures=left,
            counted_from=counted_from if left else None,
            paused_until=self.paused_until if left >= limits.tries else None,
        )

    def succeeded(self) -> "Throttle":
        """Return the throttle without failures."""
        return NO_FAILURES

    def is_paused(self, at: datetime) -> bool:
        """Return whether attempts are rejected at a time."""
        return self.paused_until is not None and at < self.paused_until

    def is_closed(self, limits: PauseLimits) -> bool:
        """Return whether attempts are rejected until something else opens it."""
        return limits.close_after is not None and self.in_a_row >= limits.close_after

    def is_forgotten(self, at: datetime, limits: PauseLimits) -> bool:
        """Return whether all failures are forgotten at a time, and no pause is left."""
        return self._remembered(at, limits)[0] == 0 and not self.is_paused(at)

    def _remembered(self, at: datetime, limits: PauseLimits) -> tuple[int, datetime]:
        """Return how many failures are not forgotten at a time, and the time from which the next one is."""
        if self.counted_from is None or not self.failures:
            return 0, at
        if limits.forget_after_seconds is None:
            return self.failures, self.counted_from
        each = timedelta(seconds=limits.forget_after_seconds)
        forgotten = max(0, (at - self.counted_from) // each)
        if forgotten >= self.failures:
            return 0, at
        return self.failures - forgotten, self.counted_from + forgotten * each


NO_FAILURES: Final = Throttle()
