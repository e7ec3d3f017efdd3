"""Poison messages, and nothing else, become dead letters."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from lab.chaos.claims.claim import Claim, Finding, claim
from lab.chaos.evidence import RunRecord, RunRecords
from lab.chaos.poison import Poison
from operations.dead_letters import DeadLetter
from services.common.kafka.dead_letters import RecordPosition

REASONS: Final = {
    Poison.TRUNCATED: "does not fit",
    Poison.GARBAGE: "does not fit",
    Poison.EMPTY: "does not fit",
    Poison.UNKNOWN_TYPE: "unknown type",
    Poison.NO_ID: "does not fit",
    Poison.WRONG_KEY: "the record's key is not the message's",
    Poison.FORGED: "forged",
}
"""How the reason of each poisoned record's dead letter begins."""


def check(evidence: RunRecords) -> Iterator[Claim]:
    """Check the dead letters against what was planted."""
    letters: dict[RecordPosition, list[DeadLetter]] = defaultdict(list)
    for letter in evidence.dead_letters:
        letters[letter.origin].append(letter)
    yield claim(
        "Every poison message is in its dead-letter topic, unchanged, with the reason",
        (_dead_lettered(each, letters[each.place]) for each in evidence.planted),
    )
    places = {each.place for each in evidence.planted}
    yield claim(
        "Every dead letter is a planted poison message", (_deserved(each, places) for each in evidence.dead_letters)
    )


def _dead_lettered(planted: RunRecord, letters: list[DeadLetter]) -> Finding:
    name = f"{planted.poison} at {planted.place}"
    if not letters:
        return f"{name} was not dead-lettered"
    for letter in letters:
        if (letter.key, letter.value, dict(letter.headers)) != (planted.key, planted.value, dict(planted.headers)):
            return f"the dead letter of {name} has another content"
        expected = REASONS[planted.poison] if planted.poison else ""
        if not letter.reason.startswith(expected):
            return f"the dead letter of {name} has another reason: {letter.reason}"
    return None


def _deserved(letter: DeadLetter, planted: set[RecordPosition]) -> Finding:
    return None if letter.origin in planted else f"{letter.origin} was dead-lettered: {letter.reason}"
