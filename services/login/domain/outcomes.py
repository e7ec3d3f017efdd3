"""How logins, requests and pairings began and ended, told by an account's row before and after a decision.

Told by the rows alone, so each is told once: whatever comes again finds the row as it was left. What time alone ends is
told when something is next decided for the account, for nobody writes before.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.contract import PairingFailure
from services.login.domain.account import Account
from services.login.domain.expire import settle_login
from services.login.domain.history import Method
from services.login.domain.login import EndReason, Login, LoginState, PairingAttempt, Prompt


class Outcome(StrEnum):
    """How a request on the phone, or a pairing, ended.

    WITHDRAWN: nobody needed the answer any more.
    """

    APPROVED = "approved"
    PAIRED = "paired"
    DENIED = "denied"
    WRONG_NUMBER = "wrong_number"
    REPORTED = "reported"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Ended:
    """A request or a pairing that ended.

    Attributes:
        outcome: How; a pairing that failed before the phone was asked has the failure's name.
        seconds: From the asking to the phone's answer; None if it gave none.

    """

    outcome: str
    seconds: float | None = None


_BY_REASON = {
    EndReason.DENIED: Outcome.DENIED,
    EndReason.WRONG_NUMBER: Outcome.WRONG_NUMBER,
    EndReason.REPORTED: Outcome.REPORTED,
    EndReason.NOT_ANSWERED: Outcome.EXPIRED,
}
_BY_FAILURE: dict[PairingFailure, str] = {
    PairingFailure.DECLINED: Outcome.DENIED,
    PairingFailure.REPORTED: Outcome.REPORTED,
    PairingFailure.NOT_ANSWERED: Outcome.EXPIRED,
}


def logins_begun(before: Account | None, after: Account) -> Iterator[Login]:
    """Return the logins that began."""
    return (each for each in after.logins if before is None or before.login(each.login_id) is None)


def logins_ended(before: Account | None, after: Account, at: datetime) -> Iterator[Login]:
    """Return the logins that ended or were approved, as they stand now.

    Args:
        before: The row before the decision.
        after: The row after it.
        at: The event's time.

    """
    for login in logins_begun(before, after):
        if login.over:
            yield login
    for then in before.logins if before is not None else ():
        now = _now(then, after, at)
        if now.over and not then.over:
            yield now


def prompts_sent(before: Account | None, after: Account) -> Iterator[Prompt]:
    """Return the requests that were sent to phones."""
    known = {each.prompt.challenge_id for each in before.logins if each.prompt} if before is not None else set()
    return (each.prompt for each in after.logins if each.prompt and each.prompt.challenge_id not in known)


def prompts_ended(before: Account | None, after: Account, at: datetime) -> Iterator[Ended]:
    """Return the requests that ended."""
    for then in before.logins if before is not None else ():
        now = _now(then, after, at)
        if then.prompt is None or then.state is not LoginState.PROMPTED or now.state is LoginState.PROMPTED:
            continue
        outcome = _prompt_outcome(now)
        answered = outcome not in {Outcome.EXPIRED, Outcome.WITHDRAWN}
        yield Ended(outcome, _seconds(then.prompt.issued_at, now.ended_at) if answered else None)


def pairings_begun(before: Account | None, after: Account) -> Iterator[PairingAttempt]:
    """Return the phrases that were entered."""
    known = {each.pairing.pairing_id for each in before.logins if each.pairing} if before is not None else set()
    return (each.pairing for each in after.logins if each.pairing and each.pairing.pairing_id not in known)


def pairings_ended(before: Account | None, after: Account, at: datetime) -> Iterator[Ended]:
    """Return the pairings that ended."""
    for then in before.logins if before is not None else ():
        attempt = then.pairing
        if attempt is None or then.state is not LoginState.PAIRING or attempt.failure is not None:
            continue
        outcome = _pairing_outcome(attempt, _now(then, after, at), at)
        if outcome is not None:
            answered = outcome in {Outcome.PAIRED, Outcome.DENIED, Outcome.REPORTED}
            yield Ended(outcome, _seconds(attempt.started_at, at) if answered else None)


def is_reported(before: Account | None, after: Account) -> bool:
    """Tell whether somebody said that it was not them; that counts for a login that is over, too."""
    reported = None if before is None else before.push.reported
    return after.push.reported is not None and after.push.reported != reported


def _now(then: Login, after: Account, at: datetime) -> Login:
    """Return a login as it stands after the decision; one that is gone ended by time, or gave way."""
    now = after.login(then.login_id)
    if now is not None:
        return now
    settled = settle_login(then, at)
    return settled if settled.over else settled.ended(EndReason.CANCELLED, at)


def _prompt_outcome(now: Login) -> Outcome:
    if now.state is LoginState.APPROVED:
        return Outcome.APPROVED if now.method is Method.PUSH else Outcome.WITHDRAWN
    return _BY_REASON.get(now.end_reason, Outcome.WITHDRAWN) if now.end_reason is not None else Outcome.WITHDRAWN


def _pairing_outcome(attempt: PairingAttempt, now: Login, at: datetime) -> str | None:
    same = now.pairing is not None and now.pairing.pairing_id == attempt.pairing_id
    if same and now.state is LoginState.PAIRED:
        return Outcome.PAIRED
    if same and now.pairing is not None and now.pairing.failure is not None:
        return _BY_FAILURE.get(now.pairing.failure, now.pairing.failure)
    if same and now.state is LoginState.PAIRING:
        return None
    return Outcome.EXPIRED if at > attempt.expires_at else Outcome.WITHDRAWN


def _seconds(asked_at: datetime, answered_at: datetime | None) -> float | None:
    return None if answered_at is None else max(0.0, (answered_at - asked_at).total_seconds())
