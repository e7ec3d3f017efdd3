"""Limits by network for what strangers may do at one instance. They are in memory: no stranger makes a row."""

from collections import OrderedDict
from datetime import datetime
from typing import Final

from services.common.throttle import NO_FAILURES, PauseLimits, Throttle

MOST_NETWORKS: Final = 100_000
"""Some 30 MB. Beyond it, the network that tried least recently is forgotten."""


class NetworkThrottles:
    """The tries of each network."""

    def __init__(self, limits: PauseLimits, most_networks: int = MOST_NETWORKS) -> None:
        self._limits = limits
        self._most_networks = most_networks
        self._throttles: OrderedDict[str, Throttle] = OrderedDict()

    def count(self, network: str, at: datetime) -> datetime | None:
        """Count a try before it is made; return None if it may be made, or until when none may."""
        throttle = self._throttles.pop(network, NO_FAILURES)
        paused_until = throttle.paused_until if throttle.is_paused(at) else None
        self._throttles[network] = throttle if paused_until is not None else throttle.failed(at, self._limits)
        if len(self._throttles) > self._most_networks:
            self._throttles.popitem(last=False)
        return paused_until
