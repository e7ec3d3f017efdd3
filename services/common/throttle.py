"""Throttling: how often something may be tried, and for how long it is paused after failures in a row.

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
    """When failures in a row lead to a pause, and how long it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    tries: Count
    """Failures in a row before the first pause."""
    pause_seconds: Seconds
    """Length of the first pause; each further failure doubles it."""
    longest_pause_seconds: Seconds
    """No pause is longer. If it is as long as the first, pauses do not grow, and the count begins anew after each."""
    forget_after_seconds: Seconds | None = None
    """After so long without a failure the count begins anew; default never."""

    def pause_end(self, failures: int, at: datetime) -> datetime | None:
        """Return when the pause after some failures ends.

        Args:
            failures: How many there are in a row.
            at: When the last one was.

        Returns:
            The end, or None if there is no pause.

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
        """Tell whether a failure is so long ago that the count begins anew.

        Args:
            last_at: When the last failure was; None if there was none.
            at: Now.

        """
        if last_at is None or self.forget_after_seconds is None:
            return last_at is None
        return at > last_at + timedelta(seconds=self.forget_after_seconds)


class WindowLimits(BaseModel):
    """How many of something there may be within a sliding window."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    most: Count
    """How many there may be within the window."""
    window_seconds: Seconds
    """Length of the window."""

    def recent(self, moments: tuple[datetime, ...], at: datetime) -> tuple[datetime, ...]:
        """Return the moments that are within the window at a time."""
        return tuple(each for each in moments if each > at - timedelta(seconds=self.window_seconds))

    def next_at(self, moments: tuple[datetime, ...], at: datetime) -> datetime | None:
        """Return when one more is allowed, or None if it is allowed now.

        Args:
            moments: When the last ones were, oldest first.
            at: Now.

        """
        recent = self.recent(moments, at)
        if len(recent) < self.most:
            return None
        return recent[-self.most] + timedelta(seconds=self.window_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """The failures of one kind.

    Attributes:
        failures: How many there are in a row.
        last_failure_at: When the last one was.
        paused_until: No further try is taken before.

    """

    failures: int = 0
    last_failure_at: Moment | None = None
    paused_until: Moment | None = None

    def failed(self, at: datetime, limits: PauseLimits) -> "Throttle":
        """Return the throttle with one more failure counted, and perhaps a pause begun."""
        is_over = self.paused_until is not None and at >= self.paused_until
        begins_anew = limits.forgets(self.last_failure_at, at) or (is_over and not limits.grows)
        failures = 1 if begins_anew else self.failures + 1
        return Throttle(failures=failures, last_failure_at=at, paused_until=limits.pause_end(failures, at))

    def succeeded(self) -> "Throttle":
        """Return the throttle without failures."""
        return NO_FAILURES

    def is_paused(self, at: datetime) -> bool:
        """Tell whether no further try is taken at a time."""
        return self.paused_until is not None and at < self.paused_until


NO_FAILURES: Final = Throttle()
