"""Checks all claims about a run."""

from collections.abc import Iterator

from lab.chaos.claims import dead_letters, log, log_audit, people
from lab.chaos.claims.claim import Claim, Finding, claim
from lab.chaos.evidence import RunRecords
from lab.chaos.history import FaultResult
from operations.audit.report import Report


def check(evidence: RunRecords, audited: Report) -> list[Claim]:
    """Check everything. A claim that was checked on nothing does not hold.

    Args:
        evidence: What a run left behind.
        audited: An audit of its topics.

    Raises:
        UndecodableError: If a record that was not planted cannot be decoded.

    """
    return [*_claims(evidence), *log_audit.check(evidence, audited)]


def _claims(evidence: RunRecords) -> Iterator[Claim]:
    yield from people.check(evidence)
    yield from log.check(evidence)
    yield from dead_letters.check(evidence)
    yield claim(
        "After every fault, all instances became ready and all partitions fully replicated",
        (_recovered(each) for each in evidence.faults),
    )


def _recovered(fault: FaultResult) -> Finding:
    return None if fault.recovered_at is not None else f"{fault.fault} ({fault.target}): {fault.reason}"
