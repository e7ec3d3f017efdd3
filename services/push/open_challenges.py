"""Which challenges one socket's device is asked, and until when, though this instance's clock may be wrong."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from protocol.challenges import verify_challenge
from protocol.jose import SignatureError
from services.push.domain.channel import Channel, PendingChallenge

MARGIN_SECONDS: Final = 0.05
"""A little past an expiry, so that the clock has passed it for sure."""


class OpenChallenges:
    """The challenges of one socket's device that are open.

    A clock that is ahead calls a live challenge expired. So a challenge that comes while the socket is open is open for
    its lifetime, counted from then by the monotonic clock. Since when an earlier one waits is not known: the instance's
    clock says whether it is open, and once it has said so, how far that clock is moved changes nothing.
    """

    def __init__(self, elapsed: Callable[[], float] = time.monotonic) -> None:
        """Begin before the first look.

        Args:
            elapsed: The monotonic clock, seconds.

        """
        self._elapsed = elapsed
        self._earlier: frozenset[str] | None = None
        self._ends: dict[str, float] = {}
        self._open: list[str] = []

    def look(self, channel: Channel | None, at: datetime) -> dict[str, PendingChallenge]:
        """Return the open ones by their ids, oldest first.

        Args:
            channel: The device's channel as it is now.
            at: The time by this instance's clock.

        """
        pending = {} if channel is None else {each.challenge_id: each for each in channel.pending}
        open_by_clock = {} if channel is None else {each.challenge_id: each for each in channel.open_at(at)}
        if self._earlier is None:
            self._earlier = frozenset(pending)
        elapsed = self._elapsed()
        for challenge_id, each in pending.items():
            if challenge_id not in self._ends and (challenge_id in open_by_clock or challenge_id not in self._earlier):
                clock_seconds = (each.expires_at - at).total_seconds()
                seconds = _lifetime_seconds(each, clock_seconds)
                if challenge_id in self._earlier:
                    seconds = min(seconds, clock_seconds)
                self._ends[challenge_id] = elapsed + seconds + MARGIN_SECONDS
        self._ends = {challenge_id: end for challenge_id, end in self._ends.items() if challenge_id in pending}
        self._open = [each for each in pending if self._ends.get(each, elapsed) > elapsed]
        return {challenge_id: pending[challenge_id] for challenge_id in self._open}

    def seconds_to_next_end(self, most_seconds: float) -> float:
        """Return how long it is until one of those that were open ends, or the given time where that is shorter."""
        elapsed = self._elapsed()
        return min((most_seconds, *(max(self._ends[each] - elapsed, 0.0) for each in self._open)))


def _lifetime_seconds(pending: PendingChallenge, otherwise_seconds: float) -> float:
    """Return how long a challenge is open, by the clock that issued it; the other time where it is none."""
    try:
        claims, _ = verify_challenge(pending.challenge)
    except SignatureError:
        return otherwise_seconds
    return pending.expires_at.timestamp() - claims.iat
