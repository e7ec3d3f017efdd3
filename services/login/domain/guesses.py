"""Guessed passwords: from one address for many names, or for names that no account has.

The wrong passwords of an account are counted in its own row. A name without an account is counted here within the same
limits, so that its pauses do not tell that there is no such account.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from protocol.encoding import digest
from schemas.base import Digest, Message
from schemas.codec import Event
from schemas.login_messages import CountGuess, ForgetGuesses
from services.common.decisions import OK, Decision, Row
from services.common.throttle import NO_FAILURES, Throttle
from services.login.domain.limits import Limits
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Guesses(Row):
    """A source of guesses.

    Attributes:
        source: SHA-256 over what it is; the row's key.
        passwords: The wrong passwords that came from it.

    """

    source: Digest
    passwords: Throttle = NO_FAILURES


def address_source(address: str) -> str:
    """Return the source that an address is."""
    return digest(f"address\x00{address}".encode())


def name_source(name: str) -> str:
    """Return the source that a name is, as it was typed in its canonical form."""
    return digest(f"name\x00{name}".encode())


def decide_guess(row: Guesses | None, event: Event[Message], policy: Policy) -> Decision[Guesses]:
    """Decide any event that concerns a source of guesses.

    Args:
        row: What is known of the source, or None.
        event: The event.
        policy: Its limits count.

    Returns:
        The decision; its outcome is ``locked`` where the pause has begun or goes on.

    """
    match event.data:
        case CountGuess() as command:
            return _count(row or Guesses(source=command.source), command, event.time, policy.limits)
        case ForgetGuesses():
            return Decision(None if row is None or is_quiet(row, event.time, policy.limits) else row)
        case _:
            return Decision(row)


def is_quiet(row: Guesses, at: datetime, limits: Limits) -> bool:
    """Tell whether a source was quiet for so long that its row is of no use any more."""
    throttle = row.passwords
    forgotten = all(each.forgets(throttle.last_failure_at, at) for each in (limits.addresses, limits.passwords))
    return forgotten and not throttle.is_paused(at)


def _count(row: Guesses, command: CountGuess, at: datetime, limits: Limits) -> Decision[Guesses]:
    if row.passwords.is_paused(at):
        return Decision(row, outcome=Rejection.LOCKED)
    throttle = row.passwords.failed(at, limits.addresses if command.by_address else limits.passwords)
    counted = replace(row, passwords=throttle)
    return Decision(counted, outcome=OK if throttle.paused_until is None else Rejection.LOCKED)
