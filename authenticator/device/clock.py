"""The service's time on a phone whose own clock may be wrong (docs/protocol.md section 2)."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

StoreOffset = Callable[[float], object]
"""Stores an offset in seconds, for use without a network."""


def store_nothing(_offset_seconds: float) -> None:
    """Store no offset."""


class ServiceClock:
    """The service's clock: this machine's clock and an offset.

    The newest time from an instance of the service counts. So an instance with a wrong clock misleads the phone only
    until the next connection or ping.

    Attributes:
        offset_seconds: How far the service's clock is ahead of this machine's.

    """

    def __init__(
        self,
        local_time: Callable[[], float] = time.time,
        offset_seconds: float = 0.0,
        store: StoreOffset = store_nothing,
    ) -> None:
        """Start with the last known offset.

        Args:
            local_time: Returns this machine's time, seconds since 1970.
            offset_seconds: The last known offset.
            store: Stores each new offset.

        """
        self._local_time = local_time
        self._store = store
        self.offset_seconds = offset_seconds

    def now(self) -> datetime:
        """Return the service's time."""
        return datetime.fromtimestamp(self._local_time() + self.offset_seconds, UTC)

    def synchronize(self, server_time: datetime) -> None:
        """Set the offset by the service's present time."""
        self.offset_seconds = server_time.timestamp() - self._local_time()
        self._store(self.offset_seconds)

    def seconds_until(self, moment: datetime) -> float:
        """Return the seconds until a moment, at least 0."""
        return max((moment - self.now()) / timedelta(seconds=1), 0.0)
