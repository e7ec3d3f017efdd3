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
    """Time without a failure that resets the count; default never."""

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

    def forgets(self, last_at: datetime | None, at: datetime) -> bool:
        """Return whether the last failure is so old that the count restarts.

        Args:
            last_at: The time of the last failure; None if there was none.
            at: The current time.

        """
        if last_at is None or self.forget_after_seconds is None:
            return last_at is None
        return at > last_at + timedelta(seconds=self.forget_after_seconds)


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
    """The failures of one kind.

    Attributes:
        failures: The number of consecutive failures.
        last_failure_at: The time of the last one.
        paused_until: The end of the pause, before which every attempt is rejected.

    """

    failures: int = 0
    last_failure_at: Moment | None = None
    paused_until: Moment | None = None

    def failed(self, at: datetime, limits: PauseLimits) -> "Throttle":
        """Return the throttle after one more failure, which may start a pause."""
        pause_over = self.paused_until is not None and at >= self.paused_until
        restarts = limits.forgets(self.last_failure_at, at) or (pause_over and not limits.grows)
        failures = 1 if restarts else self.failures + 1
        return Throttle(failures=failures, last_failure_at=at, paused_until=limits.pause_end(failures, at))

    def succeeded(self) -> "Throttle":
        """Return the throttle without failures."""
        return NO_FAILURES

    def is_paused(self, at: datetime) -> bool:
        """Return whether attempts are rejected at a time."""
        return self.paused_until is not None and at < self.paused_until


NO_FAILURES: Final = Throttle()
