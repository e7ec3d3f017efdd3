"""A device's channel: its challenges wait until they end or are long expired, up to a limit."""

import pytest

from protocol.signed_requests import Refusal
from schemas.contract import ChallengeOutcome, Delivery, PushReceipt, Verdict
from schemas.push_messages import RegisterDevice
from services.common.decisions import OK
from services.push.domain.channel import KEPT_AFTER_EXPIRY, MOST_ENDED, MOST_PENDING, EndedChallenge
from services.push.domain.decide import decide_channel
from tests.builders import a_digest, a_phone, after, an_event
from tests.events import a_response, an_ended_challenge, an_issued_challenge, only
from tests.unit.push.channel_history import a_channel, channel_after, take


def _registration(name: str = "Pixel 9") -> RegisterDevice:
    return RegisterDevice(device_id=a_phone().device_id, at=after(), device_name=name)


def test_a_challenge_is_pending_with_its_trace() -> None:
    issued = an_issued_challenge()
    event = an_event(issued)
    decision = decide_channel(a_channel(), event)
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    waiting = decision.row.waiting("challenge-1")
    assert waiting is not None
    assert waiting.challenge == issued.challenge
    assert (waiting.reply_key, waiting.purpose) == (issued.reply_key, issued.purpose)
    assert (waiting.issued_at, waiting.expires_at) == (issued.issued_at, issued.expires_at)
    assert waiting.traceparent == event.traceparent


def test_a_challenge_is_open_until_its_last_moment() -> None:
    channel = channel_after(an_issued_challenge())
    assert [each.challenge_id for each in channel.open_at(after(minutes=2))] == ["challenge-1"]
    assert channel.open_at(after(minutes=2, seconds=0.001)) == ()


def test_a_challenge_to_an_unknown_device_is_undeliverable_and_pending() -> None:
    decision = take(None, an_issued_challenge())
    receipt = only(decision.events, PushReceipt)
    assert (receipt.challenge_id, receipt.reply_key) == ("challenge-1", "alex")
    assert (receipt.delivery, receipt.device_name) == (Delivery.UNDELIVERABLE, "")
    assert decision.row is not None
    assert decision.row.waiting("challenge-1")


def test_registration_names_the_device_and_keeps_its_challenges() -> None:
    row = take(None, an_issued_challenge()).row
    decision = take(row, _registration("Fairphone 5"))
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert decision.row.device_name == "Fairphone 5"
    assert decision.row.waiting("challenge-1")


def test_registration_keeps_what_ended() -> None:
    issued = an_issued_challenge()
    channel = channel_after(issued, an_ended_challenge(issued), _registration("Fairphone 5"))
    assert channel.end_of("challenge-1")


def test_a_registered_device_gets_challenges_without_a_receipt() -> None:
    row = take(take(None, an_issued_challenge()).row, _registration()).row
    assert row is not None
    assert (row.device_id, row.device_name) == (a_phone().device_id, "Pixel 9")
    assert take(row, an_issued_challenge("challenge-2")).events == ()


@pytest.mark.parametrize("outcome", list(ChallengeOutcome))
@pytest.mark.parametrize("verdict", [None, *Verdict])
def test_a_challenge_that_ended_waits_no_more_and_keeps_its_outcome(
    outcome: ChallengeOutcome, verdict: Verdict | None
) -> None:
    issued = an_issued_challenge()
    answer_id = None if verdict is None else a_digest("answer")
    end = an_ended_challenge(issued, outcome, verdict=verdict, answer_id=answer_id)
    channel = channel_after(issued, an_issued_challenge("challenge-2"))
    decision = take(channel, end)
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert [each.challenge_id for each in decision.row.pending] == ["challenge-2"]
    expected = EndedChallenge(challenge_id="challenge-1", outcome=outcome, verdict=verdict, answer_id=answer_id)
    assert decision.row.end_of("challenge-1") == expected
    assert decision.row.end_of("challenge-2") is None


def test_the_latest_end_of_a_challenge_is_kept() -> None:
    issued, other = an_issued_challenge(), an_issued_challenge("challenge-2")
    first = an_ended_challenge(issued, ChallengeOutcome.APPROVED, verdict=Verdict.APPROVE)
    report = an_ended_challenge(issued, ChallengeOutcome.REPORTED, verdict=Verdict.REPORT)
    channel = channel_after(issued, other, first, an_ended_challenge(other), report)
    assert [each.challenge_id for each in channel.ended] == ["challenge-2", "challenge-1"]
    assert channel.end_of("challenge-1") == EndedChallenge.of(report)


def test_an_end_without_its_challenge_is_kept() -> None:
    channel = channel_after(an_ended_challenge(an_issued_challenge()))
    assert channel.end_of("challenge-1")


def test_an_end_for_an_unknown_device_creates_no_row() -> None:
    decision = take(None, an_ended_challenge(an_issued_challenge()))
    assert (decision.row, decision.events) == (None, ())


def test_the_kept_ends_are_bounded() -> None:
    ends = [an_ended_challenge(an_issued_challenge(f"challenge-{number}")) for number in range(MOST_ENDED + 5)]
    channel = channel_after(*ends)
    assert [each.challenge_id for each in channel.ended] == [each.challenge_id for each in ends[5:]]


def test_a_repeated_challenge_is_pending_once() -> None:
    channel = channel_after(an_issued_challenge(), an_issued_challenge())
    assert len(channel.pending) == 1


def test_a_challenge_that_ended_is_not_pending_again() -> None:
    issued = an_issued_challenge()
    assert channel_after(issued, an_ended_challenge(issued), issued).pending == ()


def test_too_many_open_challenges_are_undeliverable() -> None:
    full = channel_after(*(an_issued_challenge(f"challenge-{number}") for number in range(MOST_PENDING)))
    decision = take(full, an_issued_challenge("one-more", after(minutes=1, seconds=59)))
    receipt = only(decision.events, PushReceipt)
    assert decision.outcome == Refusal.TOO_MANY
    assert (receipt.challenge_id, receipt.delivery) == ("one-more", Delivery.UNDELIVERABLE)
    assert receipt.device_name == a_phone().name
    assert decision.row is not None
    assert decision.row.waiting("one-more") is None
    assert len(decision.row.pending) == MOST_PENDING


def test_an_expired_challenge_is_dropped_for_a_new_one() -> None:
    full = channel_after(*(an_issued_challenge(f"challenge-{number}") for number in range(MOST_PENDING)))
    decision = take(full, an_issued_challenge("one-more", after(minutes=2, seconds=1)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert decision.row is not None
    assert decision.row.waiting("one-more")
    assert len(decision.row.pending) == MOST_PENDING


def test_the_challenge_that_expired_first_is_dropped() -> None:
    early = an_issued_challenge("early", expires_at=after(10))
    later = [an_issued_challenge(f"challenge-{number}") for number in range(MOST_PENDING - 1)]
    channel = channel_after(*later, early, an_issued_challenge("one-more", after(minutes=1)))
    assert channel.waiting("early") is None
    assert [each.challenge_id for each in channel.pending] == [*(each.challenge_id for each in later), "one-more"]


def test_a_challenge_is_forgotten_long_after_it_expired() -> None:
    other = an_issued_challenge("other", after(minutes=5))
    last = after(minutes=2) + KEPT_AFTER_EXPIRY
    for at, kept in ((last, True), (after(minutes=2, seconds=1) + KEPT_AFTER_EXPIRY, False)):
        channel = channel_after(an_issued_challenge(), other, an_issued_challenge("new", at))
        assert (channel.waiting("challenge-1") is not None) == kept


def test_unrelated_events_leave_a_channel_unchanged() -> None:
    issued = an_issued_challenge()
    channel = channel_after(issued)
    decision = decide_channel(channel, an_event(a_response(issued.challenge)))
    assert (decision.row, decision.events, decision.outcome) == (channel, (), OK)
