"""Pairings that the pairing service did not decide, or that no phone accepted."""

from typing import Any

import pytest

from protocol.phrases import pairing_seal
from schemas.contract import (
    Verdict,
)
from services.common.decisions import UnacceptableError
from tests.builders import (
    SEAL_KEY,
    a_phone,
)
from tests.events import a_challenge, a_paired
from tests.unit.login.pairings import MALLORY, pairing

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
