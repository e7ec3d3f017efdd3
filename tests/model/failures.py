"""Failures in a row, counted from their times alone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.common.throttle import PauseLimits


@dataclass(slots=True)
class Failures:
    """Failures in a row, and the pause after them.

    Attributes:
        forgotten_at: When each failure is forgotten, one behind the other; None for never.
        end: When the last pause ends; None if there is none.
        in_a_row: How many there were since a success.

    """

    limits: PauseLimits
    forgotten_at: list[datetime | None] = field(default_factory=list)
    end: datetime | None = None
    in_a_row: int = 0

    def add(self, at: datetime) -> None:
        """Count one more, or begin anew after a pause of a fixed length."""
        fixed = self.limits.pause_seconds == self.limits.longest_pause_seconds
        if fixed and self.end is not None and at >= self.end:
            self.forgotten_at.clear()
        seconds = self.limits.forget_after_seconds
        before = max((at, *(each for each in self.forgotten_at if each is not None)))
        self.forgotten_at.append(None if seconds is None else before + timedelta(seconds=seconds))
        self.in_a_row += 1
        further = sum(each is None or each > at for each in self.forgotten_at) - self.limits.tries
        self.end = None
        if further >= 0:
            seconds = min(self.limits.pause_seconds * 2**further, self.limits.longest_pause_seconds)
            self.end = at + timedelta(seconds=seconds)

    def clear(self) -> None:
        """Begin anew."""
        self.forgotten_at.clear()
        self.end, self.in_a_row = None, 0

    def paused(self, at: datetime) -> bool:
        """Tell whether a moment is in the pause."""
        return self.end is not None and at < self.end

    @property
    def closed(self) -> bool:
        """Tell whether there were too many for any further one."""
        return self.limits.close_after is not None and self.in_a_row >= self.limits.close_after


class BothFailures:
    """Those of browsers that an account knows, and those of all others.

    Attributes:
        known: The former.
        others: The latter.

    """

    def __init__(self, limits: PauseLimits) -> None:
        self.known = Failures(limits)
        self.others = Failures(limits)

    def of(self, *, known: bool) -> Failures:
        """Return one of them."""
        return self.known if known else self.others

    def clear(self) -> None:
        """Begin both anew."""
        self.known.clear()
        self.others.clear()
