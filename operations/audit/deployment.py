"""The audit of a deployment: what its topics hold is read and checked against the rules by which it was decided."""

import asyncio

from operations.audit.audit import LogAudit
from operations.audit.policies import Policies
from operations.audit.reading import ProgressCallback, read_archive, silent
from operations.audit.report import Report
from operations.audit.time_range import TimeRange
from operations.deployment import ALL


async def audit(
    bootstrap: str, prefix: str, rulebook: Policies, span: TimeRange | None = None, step: ProgressCallback = silent
) -> Report:
    """Check that everything that the topics hold of a span of time follows.

    Each row from the row before it and an event, by the rule of its owner; each message that was published from such a
    decision; each signature and seal from a key. It changes nothing, and the services may run on meanwhile: what they
    have not committed yet is counted as not checked. Memory and disk: operations/audit/audit.py.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.
        rulebook: The rules and keys of the deployment (`load_rulebook`).
        span: The span; None is all that there is.
        step: Shows progress: what is being done, how much of it is done, and how much there is.

    Returns:
        The report. What it could not check it counts, with the reason.

    Raises:
        ReadingError: If Kafka cannot be read.

    """
    whole = span or TimeRange()
    async with read_archive(bootstrap, prefix, ALL, whole, step) as archive:
        return await asyncio.to_thread(LogAudit(archive, rulebook, whole, step).run)
