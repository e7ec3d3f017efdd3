"""Pairing the first phone: a phrase is entered, and a phone accepts in time or is unpaired."""

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
from services.login.domain.history import HistoryKind
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
from tests.builders import LOGIN_URL, SEAL_KEY, a_browser, a_device, a_key, a_login, a_phone, after, an_account, present
from tests.events import PHRASE, a_challenge, a_paired, only
from tests.messages import a_cancel, a_pairing_start, a_send, a_sign_in
from tests.unit.login.owner import Owner

MALLORY = a_phone("Mallory's phone")
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
    "with another device's answer": {"answer": MALLORY.answer(a_challenge())},
}


def phoneless() -> Owner:
    owner = Owner(an_account(paired=False))
    owner.take(a_sign_in())
    return owner


def pairing() -> Owner:
    owner = phoneless()
    owner.take(a_pairing_start())
    return owner


def failed(reason: PairingFailure, pairing_id: str = "pairing-1") -> PairingFailed:
    return PairingFailed(pairing_id=pairing_id, account_id="alex", reason=reason)


def test_an_entered_phrase_requests_a_pairing() -> None:
    owner = phoneless()
    request = only(owner.take(a_pairing_start(at=after(5))).events, PairingRequested)
    assert owner.login().state is LoginState.PAIRING
    assert owner.login().waits_for_phone(after(6))
    assert (request.phrase_digest, request.pairing_id, request.account_id) == (PHRASE, "pairing-1", "alex")
    assert (request.account_name, request.service_name, request.issuer) == ("Alex", "Account Manager", LOGIN_URL)
    assert request.issuer_keys == (a_key("login service").public.thumbprint,)
    assert (request.browser, request.requested_at) == (a_browser(), after(5))
    assert request.expires_at == after(5, minutes=2)


def test_an_accepting_phone_is_paired_and_can_be_challenged() -> None:
    owner = pairing()
    decision = owner.take(a_paired(at=after(10)))
    assert (decision.outcome, decision.events) == (OK, ())
    assert owner.login().state is LoginState.PAIRED
    assert owner.account.devices == (a_device(pairing_id="pairing-1", paired_at=after(10)),)
    assert owner.account.history[-1].what is HistoryKind.PHONE_PAIRED
    assert owner.account.history[-1].device_name == a_phone().name
    assert only(owner.take(a_send(at=after(11))).events, ChallengeIssued).device_id == a_phone().device_id


@pytest.mark.parametrize("reason", list(PairingFailure))
def test_a_failed_pairing_keeps_its_reason_and_allows_another_phrase(reason: PairingFailure) -> None:
    owner = pairing()
    owner.take(failed(reason))
    attempt = present(owner.login().pairing)
    assert attempt.failure is reason
    assert not owner.login().waits_for_phone(after(1))
    only(owner.take(a_pairing_start("pairing-2", after(2))).events, PairingRequested)


def test_only_failures_chosen_on_the_phone_are_in_the_history() -> None:
    kinds = {}
    for reason in PairingFailure:
        owner = pairing()
        owner.take(failed(reason))
        kinds[reason] = [entry.what for entry in owner.account.history]
    declined = [reason for reason, found in kinds.items() if found == [HistoryKind.PAIRING_DECLINED]]
    assert declined == [PairingFailure.DECLINED, PairingFailure.REPORTED]
    assert not any(kinds[reason] for reason in kinds if reason not in declined)


def test_the_failure_of_an_earlier_phrase_keeps_the_later_one_open() -> None:
    owner = pairing()
    owner.take(failed(PairingFailure.UNKNOWN_PHRASE))
    owner.take(a_pairing_start("pairing-2", after(2)))
    owner.take(failed(PairingFailure.DECLINED, "pairing-1"))
    assert owner.login().waits_for_phone(after(3))


def test_a_failure_after_pairing_changes_nothing() -> None:
    owner = pairing()
    owner.take(a_paired())
    login = owner.login()
    owner.take(failed(PairingFailure.DECLINED))
    assert owner.login() == login


def test_only_one_phrase_waits_at_a_time() -> None:
    owner = pairing()
    assert owner.take(a_pairing_start("pairing-2", after(minutes=2))).outcome == Rejection.NOT_NOW
    only(owner.take(a_pairing_start("pairing-2", after(minutes=2, seconds=1))).events, PairingRequested)


@pytest.mark.parametrize("state", [LoginState.PAIRED, LoginState.READY, LoginState.CHALLENGED])
def test_a_phrase_is_rejected_once_a_phone_is_paired(state: LoginState) -> None:
    owner = Owner(an_account(logins=(a_login(state=state),)))
    assert owner.take(a_pairing_start()).outcome == Rejection.NOT_NOW


def test_a_phrase_in_an_ended_or_unknown_login_is_rejected() -> None:
    owner = phoneless()
    owner.take(a_cancel())
    assert owner.take(a_pairing_start()).outcome == Rejection.NO_LOGIN
    assert owner.take(a_pairing_start(login_id="login-9")).outcome == Rejection.NO_LOGIN


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


def _unpaired(owner: Owner, paired: DevicePaired) -> None:
    devices = owner.account.devices
    decision = owner.take(paired)
    unpaired = only(decision.events, DeviceUnpaired)
    assert decision.outcome == TOO_LATE
    assert (unpaired.account_id, unpaired.device_id) == ("alex", paired.device_id)
    assert (unpaired.pairing_id, unpaired.reason) == (paired.pairing_id, "too_late")
    assert owner.account.devices == devices


def test_an_acceptance_at_the_last_moment_counts() -> None:
    owner = pairing()
    assert owner.take(a_paired(at=after(minutes=2))).outcome == OK


def test_a_phone_that_accepts_late_is_unpaired() -> None:
    _unpaired(pairing(), a_paired(at=after(minutes=2, seconds=1)))


def test_a_phone_that_accepts_for_a_cancelled_login_is_unpaired() -> None:
    owner = pairing()
    owner.take(a_cancel(at=after(1)))
    _unpaired(owner, a_paired(at=after(2)))


def test_a_phone_with_an_unknown_pairing_is_unpaired() -> None:
    _unpaired(phoneless(), a_paired("pairing-9"))


def test_a_phone_whose_pairing_failed_is_unpaired() -> None:
    owner = pairing()
    owner.take(failed(PairingFailure.DECLINED))
    _unpaired(owner, a_paired())


def test_a_repeated_pairing_changes_nothing() -> None:
    owner = pairing()
    owner.take(a_paired(at=after(1)))
    devices, logins = owner.account.devices, owner.account.logins
    again = owner.take(a_paired(at=after(1)))
    assert again.events == ()
    assert (owner.account.devices, owner.account.logins) == (devices, logins)


def _two_pairing() -> Owner:
    """Return an account without a phone for which two browsers, one of them a stranger's, each entered a phrase."""
    owner = pairing()
    owner.take(a_sign_in("login-2", after(1)))
    owner.take(a_pairing_start("pairing-2", after(2), login_id="login-2"))
    return owner


def test_the_second_of_two_first_phones_is_unpaired() -> None:
    owner = _two_pairing()
    owner.take(a_paired("pairing-1", after(3)))
    _unpaired(owner, a_paired("pairing-2", after(4), phone=MALLORY))


def test_other_logins_must_use_the_phone_once_it_is_paired() -> None:
    owner = _two_pairing()
    owner.take(a_sign_in("login-3", after(3)))
    owner.take(a_paired("pairing-1", after(4)))
    for login_id in ("login-2", "login-3"):
        assert owner.login(login_id).state is LoginState.READY
        assert owner.take(a_pairing_start("pairing-3", after(5), login_id=login_id)).outcome == Rejection.NOT_NOW
    asked = only(owner.take(a_send("login-2", after(6))).events, ChallengeIssued)
    assert asked.device_id == a_phone().device_id


@pytest.mark.parametrize("changes", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_pairing_is_dead_lettered(changes: dict[str, Any]) -> None:
    owner = pairing()
    with pytest.raises(UnacceptableError, match="forged pairing"):
        owner.take(a_paired(**changes))
    assert owner.account.devices == ()


def test_the_reason_contains_no_seal() -> None:
    paired = a_paired(seal=pairing_seal(SEAL_KEY, "pairing-2", "alex", a_phone().device_id))
    with pytest.raises(UnacceptableError) as caught:
        pairing().take(paired)
    assert paired.seal not in str(caught.value)
    assert pairing_seal(SEAL_KEY, "pairing-1", "alex", a_phone().device_id) not in str(caught.value)


@pytest.mark.parametrize(
    ("forgery", "reason"),
    [
        ("with the seal of another pairing", "the seal does not hold"),
        ("that the device denied", "its proof is for another pairing"),
        ("that the device accepted for another account", "its proof is for another pairing"),
        ("with another device's answer", "another device answered"),
    ],
)
def test_the_reason_says_what_is_forged(forgery: str, reason: str) -> None:
    with pytest.raises(UnacceptableError, match=f"^forged pairing: {reason}$"):
        pairing().take(a_paired(**FORGERIES[forgery]))
