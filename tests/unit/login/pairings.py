"""Accounts that pair their first phone."""

from schemas.contract import (
    PairingFailed,
    PairingFailure,
)
from tests.builders import (
    a_phone,
    an_account,
)
from tests.messages import a_pairing_start, a_sign_in
from tests.unit.login.owner import Owner

MALLORY = a_phone("Mallory's phone")


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
