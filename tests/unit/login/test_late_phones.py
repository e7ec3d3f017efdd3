"""Phones that accept a pairing too late are unpaired, so none becomes a second phone."""

from schemas.contract import (
    ChallengeIssued,
    DevicePaired,
    DeviceUnpaired,
    PairingFailure,
)
from services.common.decisions import OK
from services.login.domain.login import LoginState
from services.login.domain.rejections import Rejection
from services.login.domain.withdrawals import TOO_LATE
from tests.builders import (
    a_phone,
    after,
)
from tests.events import a_paired, only
from tests.messages import a_cancel, a_pairing_start, a_send, a_sign_in
from tests.unit.login.owner import Owner
from tests.unit.login.pairings import MALLORY, failed, pairing, phoneless


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
