"""A device's answers: the first one counts, in time, to the challenge that was sent; each nonce once."""

import pytest

from protocol.signed_requests import Refusal
from schemas.contract import AuthResponse, ChallengeIssued, Verdict
from schemas.push_messages import SubmitAnswer
from services.common.decisions import OK
from services.common.used_nonces import MAX_NONCES, NONCE_SECONDS
from services.push.domain.channel import KEPT_AFTER_EXPIRY, MOST_ANSWERED, Channel
from tests.builders import a_digest, a_phone, after, present
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
def test_an_answer_is_published_with_its_proof(verdict: Verdict) -> None:
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


def test_an_answered_challenge_keeps_its_verdict() -> None:
    channel, issued = _waiting()
    row = present(take(channel, a_submission(issued, verdict=Verdict.DENY, at=after(3))).row)
    assert row.pending == ()
    answered = present(row.answer_to("challenge-1"))
    assert (answered.verdict, answered.at) == (Verdict.DENY, after(3))


def test_other_challenges_stay_pending() -> None:
    channel, issued = _waiting()
    channel = channel_after(an_issued_challenge("challenge-2"), begin=channel)
    row = present(take(channel, a_submission(issued)).row)
    assert [each.challenge_id for each in row.pending] == ["challenge-2"]


@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_answer_counts(second: Verdict) -> None:
    channel, issued = _waiting()
    answered = channel_after(a_submission(issued, "nonce-1"), begin=channel)
    outcome, _ = _refused(answered, a_submission(issued, "nonce-2", after(1), verdict=second))
    assert outcome == Refusal.ALREADY_ANSWERED


def test_a_replayed_answer_is_refused() -> None:
    channel, issued = _waiting()
    answered = channel_after(a_submission(issued), begin=channel)
    assert _refused(answered, a_submission(issued))[0] == Refusal.REPLAYED


def test_a_nonce_is_used_by_a_refused_request() -> None:
    channel, issued = _waiting()
    _, channel = _refused(channel, a_submission(issued, challenge_id="challenge-9"))
    assert _refused(channel, a_submission(issued))[0] == Refusal.REPLAYED


def test_a_nonce_is_kept_while_it_can_be_replayed() -> None:
    channel, issued = _waiting()
    _, channel = _refused(channel, a_submission(issued, challenge_id="challenge-9"))
    again = a_submission(issued, at=after(NONCE_SECONDS))
    assert _refused(channel, again)[0] == Refusal.REPLAYED


def test_an_answer_to_an_unknown_challenge_is_refused() -> None:
    channel, issued = _waiting()
    assert _refused(channel, a_submission(issued, challenge_id="challenge-9"))[0] == Refusal.UNKNOWN_CHALLENGE


def test_an_answer_over_another_challenge_is_refused() -> None:
    channel, issued = _waiting()
    wrong = a_submission(issued, challenge_digest=a_digest("something else"))
    outcome, channel = _refused(channel, wrong)
    assert outcome == Refusal.WRONG_CHALLENGE
    assert take(channel, a_submission(issued, "nonce-2")).outcome == OK


def test_an_answer_at_the_last_moment_counts() -> None:
    channel, issued = _waiting()
    assert take(channel, a_submission(issued, at=after(minutes=2))).outcome == OK


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_late_answer_is_refused_as_expired(verdict: Verdict) -> None:
    channel, issued = _waiting()
    for late in (after(minutes=2, seconds=0.001), after(minutes=2) + KEPT_AFTER_EXPIRY):
        assert _refused(channel, a_submission(issued, at=late, verdict=verdict))[0] == Refusal.EXPIRED


def test_remembered_answers_are_bounded() -> None:
    channel, _ = _waiting()
    for number in range(MOST_ANSWERED + 5):
        issued = an_issued_challenge(f"later-{number}", after(number))
        channel = channel_after(issued, a_submission(issued, f"n-{number}", after(number)), begin=channel)
    assert len(channel.answered) == MOST_ANSWERED
    assert channel.answer_to(f"later-{MOST_ANSWERED + 4}")
    assert channel.answer_to("later-0") is None


def test_the_number_of_requests_per_device_is_limited() -> None:
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
    assert len(present(decision.row).nonces) == 1
