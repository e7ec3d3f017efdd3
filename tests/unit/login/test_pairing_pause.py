"""Phrases can be guessed, so a few tries are followed by a pause."""

from schemas.contract import (
    PairingFailure,
)
from services.common.decisions import OK
from services.login.domain.rejections import Rejection
from tests.builders import (
    after,
)
from tests.events import a_paired
from tests.messages import a_pairing_start, a_sign_in
from tests.unit.login.owner import Owner
from tests.unit.login.pairings import failed, phoneless


def _tried(times: int) -> Owner:
    owner = phoneless()
    for number in range(times):
        assert owner.take(a_pairing_start(f"pairing-{number}", after(number))).outcome == OK
        owner.take(failed(PairingFailure.UNKNOWN_PHRASE, f"pairing-{number}"))
    return owner


def test_the_sixth_phrase_has_to_wait() -> None:
    owner = _tried(5)
    assert owner.account.phrases.paused_until == after(4, minutes=5)
    refused = owner.take(a_pairing_start("pairing-5", after(3, minutes=5)))
    assert (refused.outcome, refused.events) == (Rejection.PAIRING_PAUSED, ())
    assert owner.take(a_pairing_start("pairing-5", after(4, minutes=5))).outcome == OK


def test_four_phrases_do_not_pause() -> None:
    assert _tried(4).account.phrases.paused_until is None


def test_a_pause_is_followed_by_five_more_tries() -> None:
    owner = _tried(5)
    for number in range(5):
        at = after(4 + number, minutes=5)
        assert owner.take(a_pairing_start(f"again-{number}", at)).outcome == OK
        owner.take(failed(PairingFailure.UNKNOWN_PHRASE, f"again-{number}"))
    assert owner.take(a_pairing_start("again-5", after(10, minutes=5))).outcome == Rejection.PAIRING_PAUSED


def test_a_pause_applies_to_the_account() -> None:
    owner = _tried(5)
    owner.take(a_sign_in("login-2", after(5)))
    refused = owner.take(a_pairing_start("pairing-5", after(6), login_id="login-2"))
    assert refused.outcome == Rejection.PAIRING_PAUSED


def test_a_paired_phone_resets_the_count() -> None:
    owner = _tried(4)
    owner.take(a_pairing_start("pairing-4", after(5)))
    owner.take(a_paired("pairing-4", after(6)))
    assert (owner.account.phrases.failures, owner.account.phrases.paused_until) == (0, None)
