"""The open challenges of one socket's device, whose lifetimes are correct even if this instance's clock is wrong."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from services.push.domain.channel import Channel, PendingChallenge

MARGIN_SECONDS: Final = 0.05
"""A little past an expiry, so that the clock has passed it for sure."""


class OpenChallenges:
    """The open challenges of one socket's device.

    A clock that is ahead shows a live challenge as expired. So the lifetime of a challenge that arrives while the
    socket is open is counted by the monotonic clock. For a challenge that arrived earlier, the instance's clock decides
    once whether it is open; later steps of that clock change nothing.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._elapsed = elapsed
        self._earlier: frozenset[str] | None = None
        self._ends: dict[str, float] = {}
        self._open: list[str] = []

    def update(self, channel: Channel | None, at: datetime) -> dict[str, PendingChallenge]:
        """Return a channel's open challenges at a time by this instance's clock, by id, oldest first."""
        pending = {} if channel is None else {each.challenge_id: each for each in channel.pending}
        open_by_clock = {} if channel is None else {each.challenge_id: each for each in channel.open_at(at)}
        if self._earlier is None:
            self._earlier = frozenset(pending)
        elapsed = self._elapsed()
        for challenge_id, each in pending.items():
            if challenge_id not in self._ends and (challenge_id in open_by_clock or challenge_id not in self._earlier):
                clock_seconds = (each.expires_at - at).total_seconds()
                seconds = (each.expires_at - each.issued_at).total_seconds()
                if challenge_id in self._earlier:
                    seconds = min(seconds, clock_seconds)
                self._ends[challenge_id] = elapsed + seconds + MARGIN_SECONDS
        self._ends = {challenge_id: end for challenge_id, end in self._ends.items() if challenge_id in pending}
        self._open = [each for each in pending if self._ends.get(each, elapsed) > elapsed]
        return {challenge_id: pending[challenge_id] for challenge_id in self._open}

    def seconds_to_next_end(self, most_seconds: float) -> float:
        """Return the seconds until an open challenge expires, at most the given ones."""
        elapsed = self._elapsed()
        return min((most_seconds, *(max(self._ends[each] - elapsed, 0.0) for each in self._open)))
