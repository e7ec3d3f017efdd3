"""What the topic of challenges tells, together with the channels' rows, whichever of the two is behind."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.contract import ChallengeEnded, ChallengeIssued, ChallengeOutcome, Verdict
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.publisher import UnavailableError
from services.push.domain.channel import MOST_PENDING, Channel
from services.push.feed import LOOK_BACK, ChallengeFeed
from tests.builders import T0, a_phone, after, an_event, present
from tests.events import a_login_challenge, an_ended_challenge, an_issued_challenge
from tests.messages import a_parting
from tests.unit.push.channel_history import a_channel, channel_after
from tests.unit.push.instance import Channels

DEVICE = a_phone().device_id
STRANGER = a_phone("Fairphone 5")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


class Tails:
    """One instance's two tails: of the channel's rows and of the topic.

    Attributes:
        rows: The view of the rows.
        feed: The feed.

    """

    def __init__(self, row: Channel | None = None, clock: Clock | None = None, most_kept: int = 1000) -> None:
        self.rows = Channels(row or a_channel())
        self.feed = ChallengeFeed(
            KafkaConnection("kafka.invalid:9092"),
            "",
            cast("Any", self.rows),
            most_kept=most_kept,
            elapsed=clock or Clock(),
        )

    def read(self, *messages: Message) -> None:
        """Let the topic's tail read messages."""
        for each in messages:
            self.feed.apply(an_event(each, traceparent="trace"))

    def read_row(self, *messages: Message) -> None:
        """Let the view's tail read the row after all messages."""
        self.rows.change(channel_after(*messages))

    @property
    def channel(self) -> Channel:
        """The device's channel as this instance knows it."""
        return present(self.feed.channel(DEVICE))

    @property
    def asks(self) -> list[str]:
        """The ids of what the device is asked."""
        return [each.challenge_id for each in self.channel.pending]


def test_a_challenge_is_known_before_its_row() -> None:
    issued, tails = an_issued_challenge(), Tails()
    tails.read(issued)
    waiting = present(tails.channel.waiting("challenge-1"))
    assert (waiting.challenge, waiting.reply_key, waiting.traceparent) == (issued.challenge, "alex", "trace")
    tails.read_row(issued)
    assert tails.asks == ["challenge-1"]


def test_an_end_is_known_before_its_row() -> None:
    issued, tails = an_issued_challenge(), Tails()
    end = an_ended_challenge(issued, ChallengeOutcome.DENIED, verdict=Verdict.DENY)
    tails.read_row(issued)
    tails.read(end)
    assert tails.asks == []
    assert present(tails.channel.end_of("challenge-1")).outcome is ChallengeOutcome.DENIED


def test_the_topic_tells_the_latest_end() -> None:
    issued, tails = an_issued_challenge(), Tails()
    approval = an_ended_challenge(issued, ChallengeOutcome.APPROVED, verdict=Verdict.APPROVE)
    tails.read_row(issued, approval)
    tails.read(issued, approval, an_ended_challenge(issued, ChallengeOutcome.REPORTED, verdict=Verdict.REPORT))
    assert present(tails.channel.end_of("challenge-1")).outcome is ChallengeOutcome.REPORTED
    assert tails.feed.ends_told(DEVICE, "challenge-1") == 2


def test_a_challenge_that_is_read_again_stays_ended() -> None:
    issued, tails = an_issued_challenge(), Tails()
    tails.read(issued, an_ended_challenge(issued), issued)
    assert tails.asks == []
    other = Tails(channel_after(issued, an_ended_challenge(issued)))
    other.read(issued)
    assert other.asks == []


def test_an_unknown_device_has_no_channel_before_a_challenge_names_it() -> None:
    tails = Tails()
    assert tails.feed.channel(STRANGER.device_id) is None
    tails.read(an_issued_challenge(phone=STRANGER))
    assert present(tails.feed.channel(STRANGER.device_id)).waiting("challenge-1")
    assert tails.asks == []


def test_nothing_is_known_while_the_rows_are_read() -> None:
    tails = Tails()
    tails.read(an_issued_challenge())
    tails.rows.ready = False
    with pytest.raises(UnavailableError):
        tails.feed.channel(DEVICE)


def test_ten_requests_at_most_are_open() -> None:
    issued = [an_issued_challenge(f"challenge-{number}") for number in range(MOST_PENDING + 2)]
    tails = Tails(channel_after(*issued[:3]))
    tails.read(*issued)
    assert tails.asks == [each.challenge_id for each in issued[:MOST_PENDING]]


def test_an_expired_request_makes_room_for_a_new_one() -> None:
    expired = [an_issued_challenge(f"challenge-{number}") for number in range(MOST_PENDING)]
    tails = Tails(channel_after(*expired))
    tails.read(an_issued_challenge("new", after(minutes=3)))
    assert tails.asks == [*(each.challenge_id for each in expired[1:]), "new"]


def test_a_request_that_was_told_before_an_unpairing_waits_for_its_end() -> None:
    issued = an_issued_challenge(challenge=a_login_challenge(jti="challenge-1", iat=int(T0.timestamp())))
    tails = Tails(channel_after(issued, a_parting()))
    assert tails.asks == []
    tails.read(issued)
    assert tails.asks == ["challenge-1"]
    tails.read(an_ended_challenge(issued))
    assert tails.asks == []


def test_what_was_told_is_forgotten_after_a_time() -> None:
    clock = Clock()
    tails = Tails(clock=clock)
    issued = an_issued_challenge()
    tails.read(issued)
    clock.seconds += LOOK_BACK.total_seconds()
    tails.read(an_issued_challenge(phone=STRANGER))
    assert tails.asks == ["challenge-1"]
    clock.seconds += 1
    tails.read(an_issued_challenge(phone=STRANGER))
    assert tails.channel == a_channel()


def test_an_end_and_its_challenge_are_forgotten_together() -> None:
    clock = Clock()
    tails = Tails(clock=clock)
    issued = an_issued_challenge()
    tails.read(issued)
    clock.seconds += LOOK_BACK.total_seconds() - 1
    tails.read(an_ended_challenge(issued))
    clock.seconds += LOOK_BACK.total_seconds()
    tails.read(an_issued_challenge(phone=STRANGER))
    assert tails.channel.end_of("challenge-1")
    clock.seconds += 1
    tails.read(an_issued_challenge(phone=STRANGER))
    assert tails.channel == a_channel()
    assert tails.feed.ends_told(DEVICE, "challenge-1") == 0


def test_what_was_told_is_bounded() -> None:
    tails = Tails(most_kept=2)
    first, second, third = (an_issued_challenge(f"challenge-{number}") for number in range(3))
    tails.read(first, second, an_ended_challenge(first), third)
    assert tails.asks == ["challenge-2"]
    assert tails.channel.end_of("challenge-0")
    tails.read(second)
    assert tails.asks == ["challenge-2", "challenge-1"]
    assert tails.feed.ends_told(DEVICE, "challenge-0") == 0


async def test_both_tails_wake_what_waits() -> None:
    tails = Tails()
    issued = an_issued_challenge()
    with tails.feed.watch(DEVICE) as changed:
        tails.read(an_issued_challenge(phone=STRANGER))
        assert not changed.is_set()
        tails.read(issued)
        assert changed.is_set()
        changed.clear()
        tails.read_row(issued)
        assert changed.is_set()


async def test_a_condition_is_waited_for() -> None:
    tails = Tails()
    issued = an_issued_challenge()
    asyncio.get_running_loop().call_soon(tails.read, issued)
    found = await tails.feed.wait_until(DEVICE, lambda each: bool(each.pending), 60.0)
    assert present(found).waiting("challenge-1")
    assert await tails.feed.wait_until(DEVICE, lambda each: bool(each.ended), 0.0) is None


def _messages(number: int) -> tuple[ChallengeIssued, ChallengeEnded]:
    issued = an_issued_challenge(f"challenge-{number}", T0 + timedelta(seconds=number))
    return issued, an_ended_challenge(issued)


@st.composite
def _topics(draw: st.DrawFn) -> list[Message]:
    """Return what the topic has of one device: challenges, and the ends of some after them."""
    order = draw(st.permutations([number for number in range(6) for _ in range(2)]))
    whole: list[Message] = [_messages(each)[order[:place].count(each)] for place, each in enumerate(order)]
    return whole[: draw(st.integers(0, len(whole)))]


@given(_topics(), st.data())
def test_at_any_lag_nothing_is_lost_and_nothing_is_asked_after_its_end(
    topic: list[Message], data: st.DataObject
) -> None:
    """The tails go on in turns; now and then the device reconnects to an instance that begins to read in the middle."""
    in_rows = 0
    begin, read = 0, 0
    tails = Tails()
    for step in data.draw(st.lists(st.sampled_from(["row", "topic", "reconnect"]), max_size=30)):
        if step == "row" and in_rows < len(topic):
            in_rows += 1
            tails.read_row(*topic[:in_rows])
        elif step == "topic" and read < len(topic):
            tails.read(topic[read])
            read += 1
        elif step == "reconnect":
            in_rows = data.draw(st.integers(0, len(topic)))
            begin = read = data.draw(st.integers(0, len(topic)))
            tails = Tails(channel_after(*topic[:in_rows]))
        known = (*topic[:in_rows], *topic[begin:read])
        ended = {each.challenge_id for each in known if isinstance(each, ChallengeEnded)}
        issued = {each.challenge_id for each in known if isinstance(each, ChallengeIssued)}
        assert set(tails.asks) == issued - ended
        assert len(tails.asks) == len(set(tails.asks))
        assert {each.challenge_id for each in tails.channel.ended} == ended
