"""Time ranges, and the parser of their bounds."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)
_DURATION: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A time range for the Kafka timestamps of records.

    Attributes:
        since: The first moment.
        until: The last moment, inclusive.

    """

    since: datetime = BEGINNING
    until: datetime = END

    def __contains__(self, at: object) -> bool:
        return isinstance(at, datetime) and self.since <= at <= self.until


def read_moment(text: str, now: datetime) -> datetime:
    """Parse a moment, or a duration before now.

    Args:
        text: A moment in ISO 8601 with its offset from UTC, or a number with a unit: s, m, h or d.
        now: The current time.

    Raises:
        ValueError: If it is neither; the text says what is expected.

    """
    if found := _DURATION.fullmatch(text):
        return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        message = f"{text[:100]!r} is neither a duration (90s, 30m, 12h, 7d) nor a moment (2026-03-02T09:00+01:00)"
        raise ValueError(message)
    return moment.astimezone(UTC)
