"""Pairing as the account sees it: a phrase entered, a phone that accepts, declines, or comes too late."""

from typing import Any

import pytest

from protocol.phrases import pairing_seal
from schemas.contract import (
    ChallengeIssued,
    DevicePaired,
    DeviceUnpaired,
    PairingFailed,
    PairingFailure,
    PairingRequested,
    Verdict,
)
from services.common.decisions import OK, UnacceptableError
from services.login.domain.pairing import TOO_LATE, waits_for_phone
from services.login.domain.rows import Happening, LoginState
from services.login.domain.rules import Refused
from tests.builders import (
    LOGIN_URL,
    SEAL_KEY,
    a_browser,
    a_device,
    a_key,
    a_login,
    a_phone,
    after,
    an_account,
)
from tests.messages import (
    PHRASE,
    a_cancel,
    a_challenge,
    a_paired,
    a_pairing_start,
    a_send,
    a_sign_in,
    only,
)
from tests.unit.login.owner import Owner

MALLORY = a_phone("Mallory's phone")


def _phoneless() -> Owner:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    return owner


def _pairing() -> Owner:
    owner = _phoneless()
    owner.take(a_pairing_start())
    return owner


def _failed(reason: PairingFailure, pairing_id: str = "pairing-1") -> PairingFailed:
    return PairingFailed(pairing_id=pairing_id, account_id="alex", reason=reason)


def test_a_phrase_that_is_entered_asks_for_the_phone_that_shows_it() -> None:
    owner = _phoneless()
    request = only(owner.take(a_pairing_start(at=after(5))).events, PairingRequested)
    assert owner.login().state is LoginState.PAIRING
    assert waits_for_phone(owner.login(), after(6))
    assert (request.phrase_digest, request.pairing_id, request.account_id) == (PHRASE, "pairing-1", "alex")
    assert (request.account_name, request.service_name, request.issuer) == ("Alex", "Account Manager", LOGIN_URL)
    assert request.issuer_keys == (a_key("login service").public.thumbprint,)
    assert (request.browser, request.requested_at) == (a_browser(), after(5))
    assert request.expires_at == after(5, minutes=2)


def test_the_phone_that_accepts_is_paired_and_then_asked() -> None:
    owner = _pairing()
    decision = owner.take(a_paired(at=after(10)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login().state is LoginState.PAIRED
    assert owner.account.devices == (a_device(pairing_id="pairing-1", paired_at=after(10)),)
    assert owner.account.history[-1].what is Happening.PHONE_PAIRED
    assert owner.account.history[-1].device_name == a_phone().name
    assert only(owner.take(a_send(at=after(11))).events, ChallengeIssued).device_id == a_phone().device_id


@pytest.mark.parametrize("reason", list(PairingFailure))
def test_why_a_pairing_failed_is_kept_and_the_next_phrase_can_be_entered(reason: PairingFailure) -> None:
    owner = _pairing()
    owner.take(_failed(reason))
    attempt = owner.login().pairing
    assert attempt is not None
    assert attempt.failure is reason
    assert not waits_for_phone(owner.login(), after(1))
    only(owner.take(a_pairing_start("pairing-2", after(2))).events, PairingRequested)


def test_only_what_a_person_decided_on_a_phone_is_told_in_the_history() -> None:
    told = {}
    for reason in PairingFailure:
        owner = _pairing()
        owner.take(_failed(reason))
        told[reason] = [entry.what for entry in owner.account.history]
    declined = [reason for reason, happenings in told.items() if happenings == [Happening.PAIRING_DECLINED]]
    assert declined == [PairingFailure.DECLINED, PairingFailure.REPORTED]
    assert not any(told[reason] for reason in told if reason not in declined)


def test_a_failure_of_an_earlier_phrase_leaves_the_later_one_waiting() -> None:
    owner = _pairing()
    owner.take(_failed(PairingFailure.UNKNOWN_PHRASE))
    owner.take(a_pairing_start("pairing-2", after(2)))
    owner.take(_failed(PairingFailure.DECLINED, "pairing-1"))
    assert waits_for_phone(owner.login(), after(3))


def test_a_failure_after_the_phone_was_paired_changes_nothing() -> None:
    owner = _pairing()
    owner.take(a_paired())
    login = owner.login()
    owner.take(_failed(PairingFailure.DECLINED))
    assert owner.login() == login


def test_one_phrase_at_a_time_waits_for_its_phone() -> None:
    owner = _pairing()
    assert owner.take(a_pairing_start("pairing-2", after(minutes=2))).outcome == Refused.NOT_NOW
    only(owner.take(a_pairing_start("pairing-2", after(minutes=2, seconds=1))).events, PairingRequested)


@pytest.mark.parametrize("state", [LoginState.PAIRED, LoginState.READY, LoginState.PROMPTED])
def test_no_phrase_is_taken_once_a_phone_is_paired(state: LoginState) -> None:
    owner = Owner(an_account(logins=(a_login(state=state),)))
    assert owner.take(a_pairing_start()).outcome == Refused.NOT_NOW


def test_no_phrase_is_taken_in_a_login_that_is_over_or_was_never_begun() -> None:
    owner = _phoneless()
    owner.take(a_cancel())
    assert owner.take(a_pairing_start()).outcome == Refused.NO_LOGIN
    assert owner.take(a_pairing_start(login_id="login-9")).outcome == Refused.NO_LOGIN


def _tried(times: int) -> Owner:
    owner = _phoneless()
    for number in range(times):
        assert owner.take(a_pairing_start(f"pairing-{number}", after(number))).outcome == OK
        owner.take(_failed(PairingFailure.UNKNOWN_PHRASE, f"pairing-{number}"))
    return owner


def test_after_five_phrases_the_next_one_has_to_wait() -> None:
    owner = _tried(5)
    assert owner.account.pairing_paused_until == after(4, minutes=5)
    refused = owner.take(a_pairing_start("pairing-5", after(3, minutes=5)))
    assert (refused.outcome, refused.events) == (Refused.PAIRING_PAUSED, ())
    assert owner.take(a_pairing_start("pairing-5", after(4, minutes=5))).outcome == OK


def test_four_phrases_do_not_pause() -> None:
    assert _tried(4).account.pairing_paused_until is None


def test_after_the_pause_there_are_five_more_tries() -> None:
    owner = _tried(5)
    for number in range(5):
        at = after(4 + number, minutes=5)
        assert owner.take(a_pairing_start(f"again-{number}", at)).outcome == OK
        owner.take(_failed(PairingFailure.UNKNOWN_PHRASE, f"again-{number}"))
    assert owner.take(a_pairing_start("again-5", after(10, minutes=5))).outcome == Refused.PAIRING_PAUSED


def test_a_pause_counts_for_the_account_and_not_for_the_login() -> None:
    owner = _tried(5)
    owner.take(a_sign_in("login-2", after(5)))
    refused = owner.take(a_pairing_start("pairing-5", after(6), login_id="login-2"))
    assert refused.outcome == Refused.PAIRING_PAUSED


def test_a_paired_phone_ends_the_count() -> None:
    owner = _tried(4)
    owner.take(a_pairing_start("pairing-4", after(5)))
    owner.take(a_paired("pairing-4", after(6)))
    assert (owner.account.pairing_tries, owner.account.pairing_paused_until) == (0, None)


def _unpaired(owner: Owner, paired: DevicePaired) -> None:
    devices = owner.account.devices
    decision = owner.take(paired)
    unpaired = only(decision.events, DeviceUnpaired)
    assert decision.outcome == TOO_LATE
    assert (unpaired.account_id, unpaired.device_id) == ("alex", paired.device_id)
    assert (unpaired.pairing_id, unpaired.reason) == (paired.pairing_id, "too_late")
    assert owner.account.devices == devices


def test_the_last_moment_to_accept_is_in_time() -> None:
    owner = _pairing()
    assert owner.take(a_paired(at=after(minutes=2))).outcome == OK


def test_a_phone_that_accepts_too_late_is_told_that_it_is_not_paired() -> None:
    _unpaired(_pairing(), a_paired(at=after(minutes=2, seconds=1)))


def test_a_phone_that_accepts_a_cancelled_login_is_told_that_it_is_not_paired() -> None:
    owner = _pairing()
    owner.take(a_cancel(at=after(1)))
    _unpaired(owner, a_paired(at=after(2)))


def test_a_phone_that_nobody_asked_for_is_told_that_it_is_not_paired() -> None:
    _unpaired(_phoneless(), a_paired("pairing-9"))


def test_a_phone_whose_pairing_failed_is_told_that_it_is_not_paired() -> None:
    owner = _pairing()
    owner.take(_failed(PairingFailure.DECLINED))
    _unpaired(owner, a_paired())


def test_a_pairing_that_comes_again_changes_nothing() -> None:
    owner = _pairing()
    owner.take(a_paired(at=after(1)))
    devices, logins = owner.account.devices, owner.account.logins
    again = owner.take(a_paired(at=after(1)))
    assert again.events == ()
    assert (owner.account.devices, owner.account.logins) == (devices, logins)


def _two_pairing() -> Owner:
    """Return an account without a phone for which two browsers, one of them a stranger's, each entered a phrase."""
    owner = _pairing()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_pairing_start("pairing-2", after(2), login_id="login-2"))
    return owner


def test_of_two_logins_that_pair_the_first_phone_is_taken_in_and_the_second_is_not() -> None:
    owner = _two_pairing()
    owner.take(a_paired("pairing-1", after(3)))
    _unpaired(owner, a_paired("pairing-2", after(4), phone=MALLORY))


def test_once_a_phone_is_paired_every_other_login_has_to_ask_it() -> None:
    owner = _two_pairing()
    owner.take(a_sign_in("login-3", after(3)))
    owner.take(a_paired("pairing-1", after(4)))
    for login_id in ("login-2", "login-3"):
        assert owner.login(login_id).state is LoginState.READY
        assert owner.take(a_pairing_start("pairing-3", after(5), login_id=login_id)).outcome == Refused.NOT_NOW
    asked = only(owner.take(a_send("login-2", after(6))).events, ChallengeIssued)
    assert asked.device_id == a_phone().device_id


FORGERIES: dict[str, dict[str, Any]] = {
    "without the pairing service's seal": {
        "seal": pairing_seal(b"some other key, also of 32 bytes", "pairing-1", "alex", a_phone().device_id)
    },
    "with the seal of another pairing": {"seal": pairing_seal(SEAL_KEY, "pairing-2", "alex", a_phone().device_id)},
    "with the seal of another account": {"seal": pairing_seal(SEAL_KEY, "pairing-1", "bo", a_phone().device_id)},
    "with the seal of another device": {"seal": pairing_seal(SEAL_KEY, "pairing-1", "alex", MALLORY.device_id)},
    "of another device than the one that accepted": {
        "device_id": MALLORY.device_id,
        "seal": pairing_seal(SEAL_KEY, "pairing-1", "alex", MALLORY.device_id),
    },
    "that the device denied": {"verdict": Verdict.DENY},
    "that the device reported": {"verdict": Verdict.REPORT},
    "that the device accepted for another pairing": {"challenge": a_challenge(jti="pairing-2")},
    "that the device accepted for another account": {"challenge": a_challenge(account_id="bo")},
    "with an answer that does not belong to it": {"answer": a_phone().answer(a_challenge(jti="pairing-2"))},
    "with somebody else's answer": {"answer": MALLORY.answer(a_challenge())},
}


@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_pairing_is_set_aside(changes: dict[str, Any]) -> None:
    owner = _pairing()
    with pytest.raises(UnacceptableError, match="forged pairing"):
        owner.take(a_paired(**changes))
    assert owner.account.devices == ()


def test_the_reason_of_a_forgery_holds_no_seal() -> None:
    paired = a_paired(seal=pairing_seal(SEAL_KEY, "pairing-2", "alex", a_phone().device_id))
    with pytest.raises(UnacceptableError) as caught:
        _pairing().take(paired)
    assert paired.seal not in str(caught.value)
    assert pairing_seal(SEAL_KEY, "pairing-1", "alex", a_phone().device_id) not in str(caught.value)
