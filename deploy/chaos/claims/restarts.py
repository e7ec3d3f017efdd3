"""A rolling restart is no fault: nobody may notice it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from deploy.chaos.claims.claim import Claim, Finding, claim
from deploy.chaos.evidence import Evidence
from deploy.chaos.history import Attempt, Ending, Habit
from deploy.chaos.schedule import Kind

HONEST: Final = frozenset({Habit.APPROVE, Habit.TWICE})
"""Whoever means this has to get in."""


def check(evidence: Evidence) -> Iterator[Claim]:
    """Check the sign-ins that were under way during a rolling restart; without one, nothing."""
    restarts = [each for each in evidence.faults if each.fault == Kind.ROLL]
    if restarts:
        yield claim(
            "No sign-in under way during a rolling restart failed",
            (
                _succeeded(each)
                for each in evidence.attempts
                if each.habit in HONEST and any(_within(each, roll.began, roll.mended) for roll in restarts)
            ),
        )


def _within(attempt: Attempt, began: datetime, ended: datetime) -> bool:
    return began <= attempt.ended and attempt.began <= ended


def _succeeded(attempt: Attempt) -> Finding:
    name = f"sign-in of {attempt.account_id} at {attempt.began:%H:%M:%S}"
    return None if attempt.ending is Ending.SIGNED_IN else f"{name} ended {attempt.ending}: {attempt.said}"
