"""How an answer or a withdrawal decides a claimed phrase."""

from typing import Any

import pytest

from protocol.challenges import verify_proof
from protocol.phrases import pairing_seal
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeOutcome,
    DevicePaired,
    PairingFailed,
    PairingFailure,
    PairingWithdrawn,
    Purpose,
    Verdict,
)
from services.common.decisions import OK, UnacceptableError
from services.pairing.domain.phrase import Phrase, PhraseState, decide_phrase
from tests.builders import SEAL_KEY, a_digest, a_key, a_phone, after, an_event, pairing_policy, present
from tests.events import PHRASE, a_challenge, a_pairing_request, a_response, end_in, only, without_end
from tests.messages import an_issue
from tests.unit.pairing.phrase_history import decide, history

MALLORY = a_phone("Mallory's phone")


def _claimed() -> Phrase:
    return present(history(an_issue(), a_pairing_request()))


def test_an_accepting_device_is_paired() -> None:
    response = a_response(a_challenge(), at=after(10))
    decision = decide(_claimed(), response)
    paired = only(without_end(decision.events), DevicePaired)
    assert decision.outcome == OK
    assert present(decision.row).state is PhraseState.ACCEPTED
    assert (paired.pairing_id, paired.account_id, paired.paired_at) == ("pairing-1", "alex", after(10))
    assert (paired.device_id, paired.device_name) == (a_phone().device_id, a_phone().name)
    assert paired.seal == pairing_seal(SEAL_KEY, "pairing-1", "alex", a_phone().device_id)


def test_a_pairing_carries_its_own_proof() -> None:
    paired = only(without_end(decide(_claimed(), a_response(a_challenge())).events), DevicePaired)
    proof = verify_proof(paired.challenge, paired.answer)
    assert (proof.claims.jti, proof.claims.account_id) == (paired.pairing_id, paired.account_id)
    assert (proof.device_id, proof.verdict) == (paired.device_id, Verdict.APPROVE)


@pytest.mark.parametrize(
    ("verdict", "reason"), [(Verdict.DENY, PairingFailure.DECLINED), (Verdict.REPORT, PairingFailure.REPORTED)]
)
def test_a_declining_device_is_not_paired(verdict: Verdict, reason: PairingFailure) -> None:
    decision = decide(_claimed(), a_response(a_challenge(), verdict))
    failed = only(without_end(decision.events), PairingFailed)
    assert (failed.pairing_id, failed.account_id, failed.reason) == ("pairing-1", "alex", reason)
    assert decision.outcome == reason
    assert present(decision.row).state is PhraseState.DECLINED


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_answer_after_the_last_moment_is_late(verdict: Verdict) -> None:
    late = after(minutes=2, seconds=0.001)
    decision = decide(_claimed(), a_response(a_challenge(), verdict, late))
    assert only(without_end(decision.events), PairingFailed).reason is PairingFailure.NOT_ANSWERED
    end = end_in(decision.events)
    assert (end.outcome, end.verdict, end.answer_id) == (ChallengeOutcome.EXPIRED, None, None)


def test_an_answer_at_the_last_moment_counts() -> None:
    assert decide(_claimed(), a_response(a_challenge(), at=after(minutes=2))).outcome == OK


@pytest.mark.parametrize("first", list(Verdict))
@pytest.mark.parametrize("second", list(Verdict))
def test_the_first_answer_counts(first: Verdict, second: Verdict) -> None:
    counted = decide(_claimed(), a_response(a_challenge(), first))
    row = present(counted.row)
    decision = decide(row, a_response(a_challenge(), second, after(1)))
    assert (decision.outcome, decision.events) == ("decided_before", (end_in(counted.events),))
    assert present(decision.row).state is row.state


OUTCOMES = {
    Verdict.APPROVE: ChallengeOutcome.APPROVED,
    Verdict.DENY: ChallengeOutcome.DENIED,
    Verdict.REPORT: ChallengeOutcome.REPORTED,
}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_device_is_told_how_its_answer_counts(verdict: Verdict) -> None:
    response = a_response(a_challenge(), verdict, after(1))
    assert end_in(decide(_claimed(), response).events) == ChallengeEnded(
        challenge_id="pairing-1",
        device_id=a_phone().device_id,
        outcome=OUTCOMES[verdict],
        verdict=verdict,
        answer_id=verify_proof(response.challenge, response.answer).answer_id,
    )


def test_the_signed_verdict_overrides_the_unsigned_one() -> None:
    declined = a_response(a_challenge(), Verdict.DENY).model_copy(update={"verdict": Verdict.APPROVE})
    assert only(without_end(decide(_claimed(), declined).events), PairingFailed).reason is PairingFailure.DECLINED


@pytest.mark.parametrize("changes", [{"jti": "pairing-9"}, {"account_id": "bo"}, {"exp": int(after(9).timestamp())}])
def test_an_answer_to_an_unsent_challenge_is_rejected(changes: dict[str, Any]) -> None:
    stray = a_response(a_challenge(**changes))
    for row in (None, history(an_issue()), _claimed()):
        decision = decide(row, stray)
        assert decision.outcome == "unknown"
        end = only(decision.events, ChallengeEnded)
        assert (end.challenge_id, end.device_id) == (stray.challenge_id, a_phone().device_id)
        assert (end.outcome, end.verdict) == (ChallengeOutcome.WITHDRAWN, None)
        assert (decision.row is None) == (row is None)
        if row is not None and decision.row is not None:
            assert decision.row.state is row.state


FORGERIES = {
    "signed by another key": a_response(a_challenge(key=a_key("mallory"))),
    "signed by the login service": a_response(a_challenge(key=a_key("login service"))),
    "for the attacker's device": a_response(a_challenge(MALLORY, a_key("mallory")), phone=MALLORY),
    "by another device": a_response(a_challenge(), phone=MALLORY),
    "to another challenge": a_response(a_challenge(), answer=a_phone().answer(a_challenge(jti="pairing-9"))),
}


@pytest.mark.parametrize("response", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_answer_is_dead_lettered(response: AuthResponse) -> None:
    with pytest.raises(UnacceptableError, match="forged response"):
        decide(_claimed(), response)


def test_an_answer_to_a_recently_rotated_key_counts() -> None:
    old, new = a_key("pairing service"), a_key("next pairing key")
    accepted = frozenset({new.public.thumbprint, old.public.thumbprint})
    changed = pairing_policy(key=new, accepted_keys=accepted)
    assert decide_phrase(_claimed(), an_event(a_response(a_challenge())), changed).outcome == OK


def test_a_response_to_a_login_changes_no_phrase() -> None:
    row = _claimed()
    for subject in (row, None):
        login = a_response(a_challenge(), purpose=Purpose.LOGIN, reply_key=a_digest("alex"))
        decision = decide_phrase(subject, an_event(login), pairing_policy())
        assert (decision.row, decision.events, decision.outcome) == (subject, (), OK)


def a_withdrawal(pairing_id: str = "pairing-1") -> PairingWithdrawn:
    return PairingWithdrawn(phrase_digest=PHRASE, pairing_id=pairing_id)


def test_a_withdrawal_withdraws_the_challenge() -> None:
    decision = decide(history(an_issue(), a_pairing_request()), a_withdrawal())
    withdrawn = only(decision.events, ChallengeEnded)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("pairing-1", a_phone().device_id)
    assert (withdrawn.outcome, withdrawn.verdict, withdrawn.answer_id) == (ChallengeOutcome.WITHDRAWN, None, None)


def test_an_answer_after_the_withdrawal_pairs_nothing() -> None:
    row = history(an_issue(), a_pairing_request(), a_withdrawal())
    response = a_response(a_challenge(key=a_key("pairing service")), Verdict.APPROVE, after(5))
    end = only(decide(row, response).events, ChallengeEnded)
    assert (end.outcome, end.verdict) == (ChallengeOutcome.WITHDRAWN, None)


def test_a_withdrawn_phrase_is_used() -> None:
    row = history(an_issue(), a_pairing_request(), a_withdrawal())
    failed = only(decide(row, a_pairing_request("pairing-2")).events, PairingFailed)
    assert failed.reason is PairingFailure.USED_PHRASE


def test_an_answered_pairing_cannot_be_withdrawn() -> None:
    row = history(an_issue(), a_pairing_request(), a_response(a_challenge(), Verdict.APPROVE, after(5)))
    decision = decide(row, a_withdrawal())
    assert decision.events == ()
    assert present(decision.row).state is PhraseState.ACCEPTED


def test_only_the_claiming_pairing_can_be_withdrawn() -> None:
    row = history(an_issue(), a_pairing_request())
    assert decide(row, a_withdrawal("pairing-9")).events == ()
    assert decide(history(an_issue()), a_withdrawal()).events == ()
    assert decide(None, a_withdrawal()).row is None
