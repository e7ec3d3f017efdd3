"""Time as the service counts it (docs/protocol.md section 2): a phone with a wrong clock works."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Keep = Callable[[float], object]
"""Takes an offset in seconds, for the time without a network."""


def keep_nothing(_offset_seconds: float) -> None:
    """Let an offset be forgotten with the clock."""


class ServiceClock:
    """This machine's clock, put right by the service's.

    The newest time that an instance of the service says counts, and is kept. So an instance whose clock is wrong
    misleads this one only until the next word, which comes with each connection and each ping.

    Attributes:
        offset_seconds: How far the service's clock is ahead of this machine's.

    """

    def __init__(
        self, local_time: Callable[[], float] = time.time, offset_seconds: float = 0.0, keep: Keep = keep_nothing
    ) -> None:
        """Begin with what is known.

        Args:
            local_time: Gives this machine's time, seconds since 1970.
            offset_seconds: How far the service's clock was ahead when it was heard last.
            keep: Takes each new offset.

        """
        self._local_time = local_time
        self._keep = keep
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        """Return the service's time."""
        return datetime.fromtimestamp(self._local_time() + self.offset_seconds, UTC)

    def synchronize(self, server_time: datetime) -> None:
        """Take the service's time, as it was a moment ago."""
        self.offset_seconds = server_time.timestamp() - self._local_time()
        self._keep(self.offset_seconds)

    def seconds_until(self, moment: datetime) -> float:
        """Return how long it is until a moment, at least 0."""
        return max((moment - self.now()) / timedelta(seconds=1), 0.0)
