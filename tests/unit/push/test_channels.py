"""Pending challenges: kept until answered, withdrawn or long expired, up to a limit."""

import pytest

from protocol.signed_requests import Refusal
from schemas.contract import AuthResponse, ChallengeWithdrawn, Delivery, PushReceipt
from schemas.push_messages import RegisterDevice
from services.common.decisions import OK
from services.push.domain.channel import KEPT_AFTER_EXPIRY, MOST_PENDING
from services.push.domain.decide import decide_channel
from tests.builders import a_phone, after, an_event
from tests.events import an_issued_challenge, only
from tests.messages import a_submission
from tests.unit.push.channel_history import a_channel, channel_after, take


def _registration(name: str = "Pixel 9") -> RegisterDevice:
    return RegisterDevice(device_id=a_phone().device_id, at=after(), device_name=name)


def _withdrawal(challenge_id: str = "challenge-1") -> ChallengeWithdrawn:
    return ChallengeWithdrawn(challenge_id=challenge_id, device_id=a_phone().device_id)


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
    assert (waiting.expires_at, waiting.traceparent) == (issued.expires_at, event.traceparent)


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


def test_registration_keeps_answers_and_nonces() -> None:
    issued = an_issued_challenge()
    channel = channel_after(issued, a_submission(issued), _registration("Fairphone 5"))
    assert channel.answer_to("challenge-1")
    assert [used.nonce for used in channel.nonces] == ["nonce-1"]


def test_a_registered_device_is_known() -> None:
    row = take(None, _registration()).row
    assert row is not None
    assert (row.device_id, row.device_name) == (a_phone().device_id, "Pixel 9")
    assert take(row, an_issued_challenge()).events == ()


def test_a_withdrawn_challenge_cannot_be_answered() -> None:
    issued = an_issued_challenge()
    channel = channel_after(issued, an_issued_challenge("challenge-2"), _withdrawal())
    assert [each.challenge_id for each in channel.pending] == ["challenge-2"]
    decision = take(channel, a_submission(issued))
    assert (decision.outcome, decision.events) == (Refusal.UNKNOWN_CHALLENGE, ())


def test_a_withdrawal_for_an_unknown_device_creates_no_row() -> None:
    decision = take(None, _withdrawal())
    assert (decision.row, decision.events) == (None, ())


def test_a_repeated_challenge_is_pending_once() -> None:
    channel = channel_after(an_issued_challenge(), an_issued_challenge())
    assert len(channel.pending) == 1


def test_an_answered_challenge_is_not_pending_again() -> None:
    issued = an_issued_challenge()
    assert channel_after(issued, a_submission(issued), issued).pending == ()


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


@pytest.mark.parametrize("answered", [False, True])
def test_a_challenge_is_forgotten_long_after_it_expired(*, answered: bool) -> None:
    other = an_issued_challenge("other", after(minutes=5))
    last = after(minutes=2) + KEPT_AFTER_EXPIRY
    for at, kept in ((last, True), (after(minutes=2, seconds=1) + KEPT_AFTER_EXPIRY, False)):
        new = an_issued_challenge("new", at)
        channel = channel_after(an_issued_challenge(), other, new)
        if answered:
            channel = channel_after(a_submission(new, at=at), begin=channel)
        assert (channel.waiting("challenge-1") is not None) == kept


def test_unrelated_events_leave_a_channel_unchanged() -> None:
    issued = an_issued_challenge()
    channel = channel_after(issued)
    response = only(take(channel, a_submission(issued)).events, AuthResponse)
    decision = decide_channel(channel, an_event(response.model_copy(update={"reply_key": a_phone().device_id})))
    assert (decision.row, decision.events, decision.outcome) == (channel, (), OK)
