"""The members of a record are compared with the proof of its signatures."""

from typing import Any

import pytest

from protocol.challenges import contradictions, verify_proof
from schemas.contract import Purpose, Verdict
from tests.unit.protocol.builders import DEVICE, NOW, a_challenge, an_answer, some_claims

CLAIMS = some_claims(Purpose.PAIRING)
SIGNED: dict[str, str] = {
    "challenge_id": CLAIMS.jti,
    "pairing_id": CLAIMS.jti,
    "device_id": DEVICE.public.thumbprint,
    "reply_key": CLAIMS.reply_key,
    "account_id": CLAIMS.account_id,
    "purpose": "pairing",
    "verdict": "approve",
}


def contradicted(
    record: dict[str, Any], purpose: Purpose = Purpose.PAIRING, verdict: Verdict = Verdict.APPROVE
) -> list[str]:
    """Return the contradictions of a record."""
    challenge = a_challenge(purpose)
    return list(contradictions(record, verify_proof(challenge, an_answer(challenge, verdict))))


def test_a_record_that_equals_the_signed_content_has_no_contradictions() -> None:
    assert contradicted({**SIGNED, "paired_at": NOW.isoformat(), "more": 1}) == []


@pytest.mark.parametrize("member", SIGNED)
def test_a_record_with_another_member_has_a_contradiction(member: str) -> None:
    signed = SIGNED[member]
    expected = f"the record says {member} 'other', but {signed!r} was signed"
    assert contradicted({**SIGNED, member: "other"}) == [expected]
    assert contradicted({**SIGNED, member: None}) == [f"the record says {member} None, but {signed!r} was signed"]


@pytest.mark.parametrize("member", SIGNED)
def test_a_record_may_omit_members(member: str) -> None:
    assert contradicted({name: value for name, value in SIGNED.items() if name != member}) == []


@pytest.mark.parametrize(
    ("purpose", "verdict"),
    [(Purpose.PAIRING, Verdict.DENY), (Purpose.LOGIN, Verdict.APPROVE), (Purpose.LOGIN, Verdict.REPORT)],
)
def test_a_device_is_paired_only_by_an_accepted_pairing(purpose: Purpose, verdict: Verdict) -> None:
    expected = f"the record says that a device was paired, but {verdict} of a {purpose} was signed"
    assert contradicted({"paired_at": NOW.isoformat()}, purpose, verdict) == [expected]
