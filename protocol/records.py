"""What a record says beside a challenge and an answer, held against what these two prove."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from protocol.challenges import Proof
from schemas.contract import Purpose, Verdict

PAIRED: Final = (Purpose.PAIRING, Verdict.APPROVE)


def contradictions(record: Mapping[str, Any], proof: Proof) -> Iterator[str]:
    """Give what a record says otherwise than the signatures do.

    Args:
        record: An ``auth.response`` or a ``device.paired``, as JSON's types; it may leave members out.
        proof: What its challenge and its answer prove.

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
