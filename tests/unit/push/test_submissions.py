"""A device's answers: the first one counts, in time, to exactly the challenge that was sent; each nonce once."""

import pytest

from protocol.signed_requests import Refusal
from schemas.contract import AuthResponse, ChallengeIssued, Verdict
from schemas.push_messages import SubmitAnswer
from services.common.decisions import OK
from services.common.used_nonces import MAX_NONCES, NONCE_SECONDS
from services.push.domain.channel import KEPT_AFTER_EXPIRY, MOST_ANSWERED, Channel
from tests.builders import a_digest, a_phone, after
from tests.events import an_issued_challenge, only
from tests.messages import a_submission
from tests.unit.push.channel_history import channel_after, take


def _waiting() -> tuple[Channel, ChallengeIssued]:
    issued = an_issued_challenge()
    return channel_after(issued), issued


def _refused(channel: Channel, answer: SubmitAnswer) -> tuple[str, Channel]:
    """Submit an answer that must lead to nothing, and return why and the channel afterwards."""
    decision = take(channel, answer)
    assert decision.events == ()
    assert decision.row is not None
    assert decision.row.pending == channel.pending
    assert decision.row.answered == channel.answered
    return decision.outcome, decision.row


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_answer_goes_back_to_who_asked_with_its_proof(verdict: Verdict) -> None:
    channel, issued = _waiting()
    submitted = a_submission(issued, at=after(10), verdict=verdict)
    decision = take(channel, submitted)
    response = only(decision.events, AuthResponse)
    assert decision.outcome == OK
    assert response == AuthResponse(
        challenge_id="challenge-1",
        device_id=a_phone().device_id,
        reply_key="alex",
        purpose=issued.purpose,
        verdict=verdict,
        challenge=issued.challenge,
        answer=submitted.answer,
        answered_at=after(10),
    )


def test_an_answered_challenge_waits_no_more_and_says_how_it_was_answered() -> None:
    channel, issued = _waiting()
    row = take(channel, a_submission(issued, verdict=Verdict.DENY, at=after(3))).row
    assert row is not None
    assert row.pending == ()
    answered = row.answer_to("challenge-1")
    assert answered is not None
    assert (answered.verdict, answered.at) == (Verdict.DENY, after(3))


def test_other_challenges_go_on_waiting() -> None:
    channel, issued = _waiting()
    channel = channel_after(an_issued_challenge("challenge-2"), begin=channel)
    row = take(channel, a_submission(issued)).row
    assert row is not None
    assert [each.challenge_id for each in row.pending] == ["challenge-2"]


@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_answer_counts(second: Verdict) -> None:
    channel, issued = _waiting()
    answered = channel_after(a_submission(issued, "nonce-1"), begin=channel)
    outcome, _ = _refused(answered, a_submission(issued, "nonce-2", after(1), verdict=second))
    assert outcome == Refusal.ALREADY_ANSWERED


def test_an_answer_that_is_replayed_counts_once() -> None:
    channel, issued = _waiting()
    answered = channel_after(a_submission(issued), begin=channel)
    assert _refused(answered, a_submission(issued))[0] == Refusal.REPLAYED


def test_a_nonce_is_good_for_one_request_even_if_that_was_refused() -> None:
    channel, issued = _waiting()
    _, channel = _refused(channel, a_submission(issued, challenge_id="challenge-9"))
    assert _refused(channel, a_submission(issued))[0] == Refusal.REPLAYED


def test_a_nonce_is_known_as_long_as_it_could_be_replayed() -> None:
    channel, issued = _waiting()
    _, channel = _refused(channel, a_submission(issued, challenge_id="challenge-9"))
    again = a_submission(issued, at=after(NONCE_SECONDS))
    assert _refused(channel, again)[0] == Refusal.REPLAYED


def test_an_answer_to_what_does_not_wait_is_refused() -> None:
    channel, issued = _waiting()
    assert _refused(channel, a_submission(issued, challenge_id="challenge-9"))[0] == Refusal.UNKNOWN_CHALLENGE


def test_an_answer_over_another_challenge_is_refused_and_the_right_one_still_counts() -> None:
    channel, issued = _waiting()
    wrong = a_submission(issued, challenge_digest=a_digest("something else"))
    outcome, channel = _refused(channel, wrong)
    assert outcome == Refusal.WRONG_CHALLENGE
    assert take(channel, a_submission(issued, "nonce-2")).outcome == OK


def test_the_last_moment_is_in_time() -> None:
    channel, issued = _waiting()
    assert take(channel, a_submission(issued, at=after(minutes=2))).outcome == OK


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_late_answer_hears_that_it_is_late(verdict: Verdict) -> None:
    channel, issued = _waiting()
    for late in (after(minutes=2, seconds=0.001), after(minutes=2) + KEPT_AFTER_EXPIRY):
        assert _refused(channel, a_submission(issued, at=late, verdict=verdict))[0] == Refusal.EXPIRED


def test_what_is_remembered_of_answers_is_bounded() -> None:
    channel, _ = _waiting()
    for number in range(MOST_ANSWERED + 5):
        issued = an_issued_challenge(f"later-{number}", after(number))
        channel = channel_after(issued, a_submission(issued, f"n-{number}", after(number)), begin=channel)
    assert len(channel.answered) == MOST_ANSWERED
    assert channel.answer_to(f"later-{MOST_ANSWERED + 4}")
    assert channel.answer_to("later-0") is None


def test_a_device_that_sends_very_many_requests_has_to_wait() -> None:
    channel, issued = _waiting()
    for number in range(MAX_NONCES):
        _, channel = _refused(channel, a_submission(issued, f"n-{number}", challenge_id="challenge-9"))
    outcome, refused = _refused(channel, a_submission(issued, "one-more"))
    assert outcome == Refusal.TOO_MANY
    assert len(refused.nonces) == MAX_NONCES
    later = after(NONCE_SECONDS + 1)
    issued = an_issued_challenge("challenge-2", later)
    refused = channel_after(issued, begin=refused)
    decision = take(refused, a_submission(issued, "one-more", later))
    assert decision.outcome == OK
    assert decision.row is not None
    assert len(decision.row.nonces) == 1
