"""Wrong passwords by source: a network, or a name without an account.

Wrong passwords for an account are counted in the account's row. A name without an account has the same limits, so its
pauses do not show that the account is missing.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from protocol.encoding import keyed_digest
from schemas.base import Digest, Message
from schemas.codec import Event
from schemas.login_messages import CountGuess, ForgetGuesses, RefundGuess
from services.common.decisions import OK, Decision, Row
from services.common.throttle import NO_FAILURES, Throttle
from services.login.domain.limits import Limits
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses(Row):
    """The row of a source.

    Attributes:
        source: HMAC-SHA256 of the network or the name; the row's key.
        passwords: Wrong passwords from the source.

    """

    source: Digest
    passwords: Throttle = NO_FAILURES


def network_source(key: bytes, network: str) -> str:
    """Return the source for the network of an address. The source for a name is the name's digest."""
    return keyed_digest(key, b"countersign network\x00" + network.encode())


def decide_guess(row: Guesses | None, event: Event[Message], policy: Policy) -> Decision[Guesses]:
    """Decide on an event for a source; the outcome is ``locked`` while the source is paused.

    An address counts a try before it is made, so the one that begins a pause is made all the same. A name counts as an
    account does, whose wrong password is counted afterwards.
    """
    match event.data:
        case CountGuess() as command:
            return _count(row or Guesses(source=command.source), command, event.time, policy.limits)
        case RefundGuess() if row is not None:
            refunded = row.passwords.refunded(event.time, policy.limits.addresses)
            return Decision(replace(row, passwords=refunded))
        case ForgetGuesses():
            return Decision(None if row is None or is_quiet(row, event.time, policy.limits) else row)
        case _:
            return Decision(row)


def is_quiet(row: Guesses, at: datetime, limits: Limits) -> bool:
    """Tell whether a source's failures are forgotten, so that its row can be deleted."""
    return all(row.passwords.is_forgotten(at, each) for each in (limits.addresses, limits.passwords))


def _count(row: Guesses, command: CountGuess, at: datetime, limits: Limits) -> Decision[Guesses]:
    if row.passwords.is_paused(at):
        return Decision(row, outcome=Rejection.LOCKED)
    throttle = row.passwords.failed(at, limits.addresses if command.by_address else limits.passwords)
    counted = replace(row, passwords=throttle)
    allowed = command.by_address or throttle.paused_until is None
    return Decision(counted, outcome=OK if allowed else Rejection.LOCKED)
