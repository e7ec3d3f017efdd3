"""The findings of an operator's audit of the run's topics."""

from collections.abc import Iterator

from lab.chaos.claims.claim import Claim, claim
from lab.chaos.evidence import RunRecords
from operations.audit.report import Report


def check(evidence: RunRecords, audited: Report) -> Iterator[Claim]:
    """Check that an audit of everything that the topics hold names what was planted, and nothing else.

    Args:
        evidence: What a run left behind.
        audited: The audit of it.

    """
    planted = {str(each.place): each for each in evidence.planted}
    named = {each.place: each for each in audited.findings}
    wrong = [f"{place} {each.type}: {each.why}" for place, each in named.items() if place not in planted]
    wrong += [f"{count} were not checked: {why}" for why, count in audited.unchecked.items()]
    yield Claim(
        "The audit confirms every row, message, signature and seal",
        audited.checked.total(),
        tuple(wrong),
    )
    yield claim(
        "The audit reports every poison message",
        (None if place in named else f"{each.poison} at {place} was not named" for place, each in planted.items()),
    )
