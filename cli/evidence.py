"""Offline verification of the challenge and the answer in an exported record."""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from protocol.challenges import Proof, contradictions, verify_proof
from protocol.jose import SignatureError, thumbprints_of

FETCH_SECONDS: Final = 10
MAX_KEY_SET_BYTES: Final = 1024 * 1024


class BadInputError(ValueError):
    """Input without a challenge and an answer, or an unreadable key set. The text says where."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one record.

    Attributes:
        proof: The verified content of challenge and answer; None if a signature is invalid.
        reason: Why the record is not proven; empty if it is.
        issuer_trusted: Whether the issuer's key is trusted; None if no trusted keys are given.

    """

    proof: Proof | None
    reason: str
    issuer_trusted: bool | None

    @property
    def proven(self) -> bool:
        """True if the proof covers the whole record."""
        return not self.reason


def read_records(text: str) -> list[Mapping[str, Any]]:
    """Parse one JSON object, an array of them, or JSON lines.

    Raises:
        BadInputError: If the text has another format, or an object has no challenge and answer.

    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        values = [_parse(line, number) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    else:
        values = document if isinstance(document, list) else [document]
    if not values:
        reason = "there is no record in the input"
        raise BadInputError(reason)
    return [_record(value, number) for number, value in enumerate(values, 1)]


def examine(record: Mapping[str, Any], trusted: AbstractSet[str] | None) -> Finding:
    """Verify a record's challenge and answer, and compare its other members with them.

    Args:
        record: The data of an ``auth.response`` or a ``device.paired``, or just its ``challenge`` and ``answer``.
        trusted: Thumbprints of the trusted keys; None skips this check.

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


def read_key_sets(sources: Iterable[str]) -> frozenset[str]:
    """Return the thumbprints of all keys in JWK sets, given as files or as http and https URLs.

    Raises:
        BadInputError: If a source cannot be read, or is not a JWK set.

    """
    return frozenset[str]().union(*map(_key_set, sources))


def _key_set(source: str) -> frozenset[str]:
    try:
        if urlsplit(source).scheme in {"http", "https"}:
            with urlopen(source, timeout=FETCH_SECONDS) as response:  # noqa: S310 - http or https, as just checked
                return thumbprints_of(response.read(MAX_KEY_SET_BYTES))
        with Path(source).open("rb") as file:
            return thumbprints_of(file.read(MAX_KEY_SET_BYTES))
    except URLError as error:
        text = f"{source} cannot be fetched: {error.reason}"
    except OSError as error:
        text = f"{source} cannot be read: {error.strerror or error}"
    except ValueError as error:
        text = f"{source} is {error}"
    raise BadInputError(text)
