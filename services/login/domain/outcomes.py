"""Outcomes of logins, challenges and pairings, derived from an account's row before and after a decision.

The rows alone determine them, so a repeated event, which leaves the row unchanged, counts nothing. What expires is
counted at the account's next decision, because no row is written before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.contract import PairingFailure
from services.login.domain.account import Account
from services.login.domain.expire import expire_login
from services.login.domain.history import Method
from services.login.domain.login import EndReason, Login, LoginChallenge, LoginState, PairingAttempt


class AttemptOutcome(StrEnum):
    """How a challenge or a pairing ended. WITHDRAWN: its answer was no longer needed."""

    APPROVED = "approved"
    PAIRED = "paired"
    DENIED = "denied"
    WRONG_NUMBER = "wrong_number"
    REPORTED = "reported"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class EndedAttempt:
    """A challenge or a pairing that ended.

    Attributes:
        outcome: The outcome; the failure's name for a pairing that failed before the phone was challenged.
        seconds: From the challenge to the phone's answer; None without an answer.

    """

    outcome: str
    seconds: float | None = None


_BY_REASON = {
    EndReason.DENIED: AttemptOutcome.DENIED,
    EndReason.WRONG_NUMBER: AttemptOutcome.WRONG_NUMBER,
    EndReason.REPORTED: AttemptOutcome.REPORTED,
    EndReason.NOT_ANSWERED: AttemptOutcome.EXPIRED,
}
_BY_FAILURE: dict[PairingFailure, str] = {
    PairingFailure.DECLINED: AttemptOutcome.DENIED,
    PairingFailure.REPORTED: AttemptOutcome.REPORTED,
    PairingFailure.NOT_ANSWERED: AttemptOutcome.EXPIRED,
}


def logins_begun(before: Account | None, after: Account) -> Iterator[Login]:
    """Return the logins that began."""
    return (each for each in after.logins if before is None or before.login(each.login_id) is None)


def logins_ended(before: Account | None, after: Account, at: datetime) -> Iterator[Login]:
    """Return the logins that ended or were approved, as they are after the decision."""
    for login in logins_begun(before, after):
        if login.over:
            yield login
    for then in before.logins if before is not None else ():
        now = _now(then, after, at)
        if now.over and not then.over:
            yield now


def challenges_sent(before: Account | None, after: Account) -> Iterator[LoginChallenge]:
    """Return the challenges that were sent."""
    known = {each.challenge.challenge_id for each in before.logins if each.challenge} if before is not None else set()
    return (each.challenge for each in after.logins if each.challenge and each.challenge.challenge_id not in known)


def challenges_ended(before: Account | None, after: Account, at: datetime) -> Iterator[EndedAttempt]:
    """Return the challenges that ended."""
    for then in before.logins if before is not None else ():
        now = _now(then, after, at)
        if then.challenge is None or then.state is not LoginState.CHALLENGED or now.state is LoginState.CHALLENGED:
            continue
        outcome = _challenge_outcome(now)
        answered = outcome not in {AttemptOutcome.EXPIRED, AttemptOutcome.WITHDRAWN}
        yield EndedAttempt(outcome, _seconds(then.challenge.issued_at, now.ended_at) if answered else None)


def pairings_begun(before: Account | None, after: Account) -> Iterator[PairingAttempt]:
    """Return the phrases that were entered."""
    known = {each.pairing.pairing_id for each in before.logins if each.pairing} if before is not None else set()
    return (each.pairing for each in after.logins if each.pairing and each.pairing.pairing_id not in known)


def pairings_ended(before: Account | None, after: Account, at: datetime) -> Iterator[EndedAttempt]:
    """Return the pairings that ended."""
    for then in before.logins if before is not None else ():
        attempt = then.pairing
        if attempt is None or then.state is not LoginState.PAIRING or attempt.failure is not None:
            continue
        outcome = _pairing_outcome(attempt, _now(then, after, at), at)
        if outcome is not None:
            answered = outcome in {AttemptOutcome.PAIRED, AttemptOutcome.DENIED, AttemptOutcome.REPORTED}
            yield EndedAttempt(outcome, _seconds(attempt.started_at, at) if answered else None)


def is_reported(before: Account | None, after: Account) -> bool:
    """Tell whether the decision was on a report; the reported login may be over."""
    reported = None if before is None else before.push.reported
    return after.push.reported is not None and after.push.reported != reported


def _now(then: Login, after: Account, at: datetime) -> Login:
    """Return a login as it is after the decision; a removed one has expired, or was evicted."""
    now = after.login(then.login_id)
    if now is not None:
        return now
    expired = expire_login(then, at)
    return expired if expired.over else expired.ended(EndReason.CANCELLED, at)


def _challenge_outcome(now: Login) -> AttemptOutcome:
    if now.state is LoginState.APPROVED:
        return AttemptOutcome.APPROVED if now.method is Method.PUSH else AttemptOutcome.WITHDRAWN
    return (
        _BY_REASON.get(now.end_reason, AttemptOutcome.WITHDRAWN)
        if now.end_reason is not None
        else AttemptOutcome.WITHDRAWN
    )


def _pairing_outcome(attempt: PairingAttempt, now: Login, at: datetime) -> str | None:
    same = now.pairing is not None and now.pairing.pairing_id == attempt.pairing_id
    if same and now.state is LoginState.PAIRED:
        return AttemptOutcome.PAIRED
    if same and now.pairing is not None and now.pairing.failure is not None:
        return _BY_FAILURE.get(now.pairing.failure, now.pairing.failure)
    if same and now.state is LoginState.PAIRING:
        return None
    return AttemptOutcome.EXPIRED if at > attempt.expires_at else AttemptOutcome.WITHDRAWN


def _seconds(challenged_at: datetime, answered_at: datetime | None) -> float | None:
    return None if answered_at is None else max(0.0, (answered_at - challenged_at).total_seconds())
