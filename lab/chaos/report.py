"""A run's report, in Markdown."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from statistics import median

from lab.chaos.claims.claim import Claim
from lab.chaos.evidence import RunRecords
from lab.chaos.history import Attempt, Ending, FaultResult
from lab.chaos.run import Options


def report(options: Options, evidence: RunRecords, claims: list[Claim]) -> str:
    """Return a run's report: what was done, what was checked, and how long each fault had an effect."""
    return "\n".join(
        (
            f"## Seed {options.seed}: {options.seconds:.0f} s, {options.people} people",
            "",
            *_counts(evidence),
            "",
            "| checked | claim | |",
            "|---:|---|---|",
            *(f"| {each.checked} | {each.text} | {'holds' if each.holds else 'does not hold'} |" for each in claims),
            "",
            *(f"- {found}" for each in claims for found in each.violations),
            "",
            "| fault | times | recovered after, median | at most | first sign-in after | at most |",
            "|---|---:|---:|---:|---:|---:|",
            *_faults(evidence),
            "",
        )
    )


def _counts(evidence: RunRecords) -> Iterator[str]:
    endings = Counter(each.ending for each in evidence.attempts)
    took = [_seconds(each) for each in evidence.attempts if each.ending is Ending.SIGNED_IN]
    poisons = Counter(each.poison for each in evidence.records if each.poison)
    yield (
        f"{len(evidence.records)} records in Kafka, {len(evidence.dead_letters)} of them dead letters. "
        f"{len(evidence.attempts)} sign-ins begun: "
        + ", ".join(f"{endings[ending]} {ending.replace('_', ' ')}" for ending in Ending)
        + f". {len(evidence.answers)} answers of phones, {sum(not each.refusal for each in evidence.answers)} taken. "
        f"A sign-in that succeeded took {median(took):.1f} s at the median and {max(took):.1f} s at most."
        if took
        else "No person signed in."
    )
    yield ""
    yield f"Planted: {', '.join(f'{count} {poison}' for poison, count in sorted(poisons.items()))}."


def _faults(evidence: RunRecords) -> Iterator[str]:
    kinds: dict[str, list[FaultResult]] = defaultdict(list)
    for fault in evidence.faults:
        kinds[fault.fault].append(fault)
    for kind, those in sorted(kinds.items()):
        well = [
            (each.recovered_at - each.repaired_at).total_seconds() for each in those if each.recovered_at is not None
        ]
        gaps = [gap for each in those if (gap := _first_after(each, evidence.attempts)) is not None]
        yield f"| {kind} | {len(those)} | {_spread(well)} | {_spread(gaps)} |"


def _first_after(fault: FaultResult, attempts: list[Attempt]) -> float | None:
    """Return how long after a fault began the first sign-in succeeded that had begun after it, in seconds."""
    later = [each.ended for each in attempts if each.ending is Ending.SIGNED_IN and each.began >= fault.began_at]
    return (min(later) - fault.began_at).total_seconds() if later else None


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.1f} s | {max(seconds):.1f} s" if seconds else "never | never"


def _seconds(attempt: Attempt) -> float:
    return (attempt.ended - attempt.began).total_seconds()
