"""Which challenges a connected device is sent, whatever its instance's clock."""

from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.push.domain.channel import Channel
from services.push.open_challenges import MARGIN_SECONDS, OpenChallenges
from tests.builders import T0
from tests.events import CHALLENGE_LIFETIME, an_ended_challenge, an_issued_challenge
from tests.unit.push.channel_history import a_channel, channel_after

LIFETIME_SECONDS: Final = CHALLENGE_LIFETIME.total_seconds()
SKEWS: Final = st.floats(-86_400, 86_400)


class Instance:
    """An instance with a clock that may be wrong, and one socket.

    Attributes:
        skew_seconds: How far its clock is ahead.
        seconds: How long ago it all began.

    """

    def __init__(self, skew_seconds: float = 0.0) -> None:
        self.skew_seconds = skew_seconds
        self.seconds = 0.0
        self.challenges = OpenChallenges(lambda: self.seconds)

    def asks(self, channel: Channel | None) -> list[str]:
        """Return the ids of what the device is asked now."""
        return list(self.challenges.update(channel, T0 + timedelta(seconds=self.seconds + self.skew_seconds)))


@given(SKEWS, SKEWS)
def test_a_new_challenge_is_open_for_its_lifetime_by_any_clock(came: float, later: float) -> None:
    instance = Instance(came)
    assert instance.asks(a_channel()) == []
    channel = channel_after(an_issued_challenge())
    assert instance.asks(channel) == ["challenge-1"]
    instance.skew_seconds = later
    instance.seconds = LIFETIME_SECONDS
    assert instance.asks(channel) == ["challenge-1"]
    instance.seconds += 2 * MARGIN_SECONDS
    assert instance.asks(channel) == []
    instance.skew_seconds = -86_400
    assert instance.asks(channel) == []


@given(SKEWS)
def test_a_pending_challenge_stays_open_when_the_clock_moves(later: float) -> None:
    instance = Instance()
    instance.seconds = 20.0
    channel = channel_after(an_issued_challenge())
    assert instance.asks(channel) == ["challenge-1"]
    instance.skew_seconds = later
    instance.seconds = LIFETIME_SECONDS
    assert instance.asks(channel) == ["challenge-1"]
    instance.seconds += 2 * MARGIN_SECONDS
    assert instance.asks(channel) == []


def test_a_slow_clock_does_not_extend_a_pending_challenge() -> None:
    instance = Instance(-3600)
    channel = channel_after(an_issued_challenge())
    assert instance.asks(channel) == ["challenge-1"]
    instance.seconds = LIFETIME_SECONDS + 2 * MARGIN_SECONDS
    assert instance.asks(channel) == []


def test_a_pending_challenge_is_open_once_the_clock_is_right() -> None:
    instance = Instance(LIFETIME_SECONDS + 1)
    channel = channel_after(an_issued_challenge())
    assert instance.asks(channel) == []
    instance.skew_seconds = 0
    assert instance.asks(channel) == ["challenge-1"]


def test_a_challenge_that_ended_is_closed_and_the_order_kept() -> None:
    instance = Instance()
    issued = [an_issued_challenge(f"challenge-{number}") for number in range(1, 4)]
    assert instance.asks(channel_after(*issued)) == ["challenge-1", "challenge-2", "challenge-3"]
    ended = channel_after(*issued, an_ended_challenge(issued[1]))
    assert instance.asks(ended) == ["challenge-1", "challenge-3"]
    assert instance.asks(None) == []


def test_the_next_update_is_due_when_the_first_challenge_ends() -> None:
    instance = Instance()
    assert instance.asks(a_channel()) == []
    assert instance.challenges.seconds_to_next_end(20.0) == 20.0
    instance.asks(channel_after(an_issued_challenge()))
    instance.seconds = LIFETIME_SECONDS - 5
    assert instance.challenges.seconds_to_next_end(20.0) == pytest.approx(5 + MARGIN_SECONDS)
    instance.seconds += 60
    assert instance.challenges.seconds_to_next_end(20.0) == 0
