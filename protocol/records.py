"""Compares a record's other members with the proof that its challenge and answer give."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from protocol.challenges import Proof
from schemas.contract import Purpose, Verdict

PAIRED: Final = (Purpose.PAIRING, Verdict.APPROVE)


def contradictions(record: Mapping[str, Any], proof: Proof) -> Iterator[str]:
    """Yield a sentence for each member of a record that contradicts the signatures.

    Args:
        record: The data of an ``auth.response`` or a ``device.paired`` as JSON types; members may be missing.
        proof: The proof of its challenge and answer.

    """
    claims = proof.claims
    signed = {
        "challenge_id": claims.jti,
        "pairing_id": claims.jti,
        "device_id": proof.device_id,
        "reply_key": claims.reply_key,
        "account_id": claims.account_id,
        "purpose": claims.purpose.value,
        "verdict": proof.verdict.value,
    }
    for member, value in signed.items():
        if record.get(member, value) != value:
            yield f"the record says {member} {record[member]!r}, but {value!r} was signed"
    if "paired_at" in record and (claims.purpose, proof.verdict) != PAIRED:
        yield f"the record says that a device was paired, but {proof.verdict} of a {claims.purpose} was signed"
