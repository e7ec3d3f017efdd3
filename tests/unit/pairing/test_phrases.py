"""A phrase is issued once, claimed once, retired and forgotten."""

import pytest

from protocol.challenges import verify_challenge
from schemas.contract import ChallengeIssued, PairingFailed, PairingFailure, Purpose, Verdict
from schemas.pairing_messages import RetirePhrase
from services.common.decisions import OK
from services.pairing.domain.phrase import KEPT, TAKEN, Phrase, PhraseState
from tests.builders import LOGIN_URL, PAIRING_URL, Phone, a_browser, a_key, a_phone, after, an_event, present
from tests.events import CHALLENGE_LIFETIME, PHRASE, a_challenge, a_pairing_request, a_response, only
from tests.messages import PHRASE_LIFETIME, an_issue
from tests.rows import without_memory
from tests.unit.pairing.phrase_history import decide, decide_event, history

OTHER = a_phone("Fairphone 5")


def _retirement(seconds: float, phone: Phone | None = None) -> RetirePhrase:
    phone = phone or a_phone()
    return RetirePhrase(phrase_digest=PHRASE, device_id=phone.device_id, at=after(seconds))


def _refusal(row: Phrase | None, seconds: float = 0) -> PairingFailure:
    """Enter the phrase, which must fail, and return why it does; the phrase must stay as it is."""
    decision = decide(row, a_pairing_request("pairing-9", after(seconds)))
    failed = only(decision.events, PairingFailed)
    assert (failed.pairing_id, failed.account_id) == ("pairing-9", "alex")
    assert decision.outcome == failed.reason
    if row is None:
        assert decision.row is None
    else:
        assert without_memory(present(decision.row)) == without_memory(row)
    return failed.reason


def test_an_entered_phrase_challenges_its_device() -> None:
    decision = decide(history(an_issue()), a_pairing_request(at=after(60)))
    issued = only(decision.events, ChallengeIssued)
    assert decision.outcome == OK
    assert present(decision.row).state is PhraseState.CLAIMED
    assert (issued.challenge_id, issued.device_id) == ("pairing-1", a_phone().device_id)
    assert (issued.reply_key, issued.purpose) == (PHRASE, Purpose.PAIRING)
    assert (issued.issued_at, issued.expires_at) == (after(60), after(60) + CHALLENGE_LIFETIME)


def test_the_challenge_has_its_claims_and_the_issuer_to_pin() -> None:
    issued = only(decide(history(an_issue()), a_pairing_request()).events, ChallengeIssued)
    claims, key = verify_challenge(issued.challenge)
    assert key == a_key("pairing service").public.thumbprint
    assert (claims.iss, claims.aud, claims.jti) == (PAIRING_URL, a_phone().device_id, "pairing-1")
    assert (claims.purpose, claims.reply_key) == (Purpose.PAIRING, PHRASE)
    assert (claims.service, claims.account_id, claims.account_name) == ("Account Manager", "alex", "Alex")
    assert claims.browser == a_browser()
    assert claims.expires_at == after() + CHALLENGE_LIFETIME
    assert claims.login_issuer is not None
    assert claims.login_issuer.issuer == LOGIN_URL
    assert claims.login_issuer.keys == (a_key("login service").public.thumbprint,)


def test_a_phrase_is_claimed_once() -> None:
    assert _refusal(history(an_issue(), a_pairing_request()), 1) is PairingFailure.USED_PHRASE


@pytest.mark.parametrize("account_id", ["alex", "bo"])
def test_a_claimed_phrase_stays_with_the_first_account(account_id: str) -> None:
    row = history(an_issue(), a_pairing_request())
    again = present(decide(row, a_pairing_request("pairing-2", account_id=account_id)).row)
    assert again.claim is not None
    assert (again.claim.request.account_id, again.claim.request.pairing_id) == ("alex", "pairing-1")


def test_an_unissued_phrase_is_unknown() -> None:
    assert _refusal(None) is PairingFailure.UNKNOWN_PHRASE


def test_a_phrase_can_be_entered_up_to_its_last_moment() -> None:
    lifetime = PHRASE_LIFETIME.total_seconds()
    assert decide(history(an_issue()), a_pairing_request(at=after(lifetime))).outcome == OK
    assert _refusal(history(an_issue()), lifetime + 0.001) is PairingFailure.EXPIRED_PHRASE


def test_a_retired_phrase_has_expired() -> None:
    assert _refusal(history(an_issue(), _retirement(10)), 11) is PairingFailure.EXPIRED_PHRASE


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_answered_phrase_is_used(verdict: Verdict) -> None:
    answered = history(an_issue(), a_pairing_request(), a_response(a_challenge(), verdict))
    assert _refusal(answered, 5) is PairingFailure.USED_PHRASE


def test_only_its_own_device_retires_a_phrase() -> None:
    row = history(an_issue(), _retirement(10, OTHER))
    assert decide(row, a_pairing_request()).outcome == OK


def test_a_claimed_phrase_cannot_be_retired() -> None:
    row = present(history(an_issue(), a_pairing_request(), _retirement(10)))
    assert row.state is PhraseState.CLAIMED


def test_an_issued_phrase_is_not_issued_again() -> None:
    lifetime = PHRASE_LIFETIME.total_seconds()
    decision = decide(history(an_issue()), an_issue(after(lifetime), OTHER))
    assert decision.outcome == TAKEN
    assert present(decision.row).device_id == a_phone().device_id


def test_a_claimed_phrase_is_not_issued_again() -> None:
    lifetime = PHRASE_LIFETIME.total_seconds()
    row = history(an_issue(), a_pairing_request(at=after(lifetime)))
    waits = lifetime + CHALLENGE_LIFETIME.total_seconds()
    assert decide(row, an_issue(after(waits), OTHER)).outcome == TAKEN
    assert decide(row, an_issue(after(waits + 1), OTHER)).outcome == OK


def test_an_expired_phrase_is_issued_again() -> None:
    late = PHRASE_LIFETIME.total_seconds() + 1
    row = present(history(an_issue(), a_pairing_request(), an_issue(after(late), OTHER)))
    assert (row.device_id, row.device_name) == (OTHER.device_id, OTHER.name)
    assert (row.state, row.claim) == (PhraseState.ISSUED, None)
    assert (row.issued_at, row.expires_at) == (after(late), after(late) + PHRASE_LIFETIME)


def test_a_repeated_claim_does_not_take_a_reissued_phrase() -> None:
    late = PHRASE_LIFETIME.total_seconds() + 1
    claim = an_event(a_pairing_request(), event_id="the claim")
    row: Phrase | None = None
    for event in (an_event(an_issue()), claim, an_event(an_issue(after(late), OTHER)), claim):
        row = decide_event(row, event).row
    assert row is not None
    assert (row.device_id, row.state) == (OTHER.device_id, PhraseState.ISSUED)


def test_a_phrase_is_forgotten_long_after_its_end() -> None:
    kept = (PHRASE_LIFETIME + KEPT).total_seconds()
    assert history(an_issue(), _retirement(kept)) is not None
    assert history(an_issue(), _retirement(kept + 1)) is None


def test_a_claimed_phrase_is_forgotten_long_after_its_challenge() -> None:
    entered = (an_issue(), a_pairing_request(at=after() + PHRASE_LIFETIME))
    kept = (PHRASE_LIFETIME + CHALLENGE_LIFETIME + KEPT).total_seconds()
    assert history(*entered, _retirement(kept)) is not None
    assert history(*entered, _retirement(kept + 1)) is None


def test_retiring_an_unknown_phrase_changes_nothing() -> None:
    decision = decide(None, _retirement(0))
    assert (decision.row, decision.events, decision.outcome) == (None, (), OK)
