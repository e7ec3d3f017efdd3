"""Pairings that are cancelled in the browser while the device is challenged."""

from schemas.contract import ChallengeWithdrawn, PairingFailed, PairingFailure, PairingWithdrawn, Verdict
from services.pairing.domain.phrase import PhraseState
from tests.builders import a_key, a_phone, after
from tests.events import PHRASE, a_challenge, a_pairing_request, a_response, only
from tests.messages import an_issue
from tests.unit.pairing.phrase_history import decide, history


def a_withdrawal(pairing_id: str = "pairing-1") -> PairingWithdrawn:
    return PairingWithdrawn(phrase_digest=PHRASE, pairing_id=pairing_id)


def test_a_withdrawal_withdraws_the_challenge() -> None:
    decision = decide(history(an_issue(), a_pairing_request()), a_withdrawal())
    withdrawn = only(decision.events, ChallengeWithdrawn)
    assert (withdrawn.challenge_id, withdrawn.device_id) == ("pairing-1", a_phone().device_id)


def test_an_answer_after_the_withdrawal_pairs_nothing() -> None:
    row = history(an_issue(), a_pairing_request(), a_withdrawal())
    response = a_response(a_challenge(key=a_key("pairing service")), Verdict.APPROVE, after(5))
    assert decide(row, response).events == ()


def test_a_withdrawn_phrase_is_used() -> None:
    row = history(an_issue(), a_pairing_request(), a_withdrawal())
    failed = only(decide(row, a_pairing_request("pairing-2")).events, PairingFailed)
    assert failed.reason is PairingFailure.USED_PHRASE


def test_an_answered_pairing_cannot_be_withdrawn() -> None:
    row = history(an_issue(), a_pairing_request(), a_response(a_challenge(), Verdict.APPROVE, after(5)))
    decision = decide(row, a_withdrawal())
    assert decision.events == ()
    assert decision.row is not None
    assert decision.row.state is PhraseState.ACCEPTED


def test_only_the_claiming_pairing_can_be_withdrawn() -> None:
    row = history(an_issue(), a_pairing_request())
    assert decide(row, a_withdrawal("pairing-9")).events == ()
    assert decide(history(an_issue()), a_withdrawal()).events == ()
    assert decide(None, a_withdrawal()).row is None
