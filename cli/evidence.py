"""What a record that was exported from the topics proves: the challenge and the answer in it, checked offline."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from protocol.challenges import Proof, verify_proof
from protocol.jose import SignatureError
from protocol.records import contradictions


class BadInputError(ValueError):
    """Input that holds no challenge and answer. Its text says where."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of one record.

    Attributes:
        proof: What challenge and answer prove together; None where they prove nothing.
        reason: Why the record is not proven; empty where it is.
        issuer_trusted: Whether the issuer's key is among the trusted ones; None where none were given.

    """

    proof: Proof | None
    reason: str
    issuer_trusted: bool | None

    @property
    def proven(self) -> bool:
        """True where all that the record says was proven."""
        return not self.reason


def read_records(text: str) -> list[Mapping[str, Any]]:
    """Read one JSON object, an array of them, or JSON lines.

    Raises:
        BadInputError: If it is none of these, or one has no challenge and answer.

    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        values = [_parse(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        values = whole if isinstance(whole, list) else [whole]
    if not values:
        reason = "there is no record in the input"
        raise BadInputError(reason)
    return [_record(value, number) for number, value in enumerate(values, 1)]


def examine(record: Mapping[str, Any], trusted: AbstractSet[str] | None) -> Finding:
    """Check a record's challenge and answer, and what else the record says against them.

    Args:
        record: The record: an ``auth.response``, a ``device.paired``, or just its ``challenge`` and ``answer``.
        trusted: Thumbprints of the keys to trust, or None to leave that open.

    """
    try:
        proof = verify_proof(record["challenge"], record["answer"])
    except SignatureError as error:
        return Finding(None, str(error), None)
    issuer_trusted = None if trusted is None else proof.issuer_key in trusted
    contradiction = next(contradictions(record, proof), "")
    if contradiction:
        return Finding(proof, contradiction, issuer_trusted)
    if issuer_trusted is False:
        return Finding(proof, "the issuer's key is in none of the given key sets", issuer_trusted)
    return Finding(proof, "", issuer_trusted)


def _parse(line: str, number: int) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        text = f"line {number} is not JSON"
        raise BadInputError(text) from None


def _record(value: object, number: int) -> Mapping[str, Any]:
    if isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("challenge", "answer")):
        return value
    text = f"record {number} has no challenge and answer: export auth.response or device.paired"
    raise BadInputError(text)
