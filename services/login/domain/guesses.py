"""Passwords that are guessed: from one address at many accounts, or for names that nobody has.

The wrong passwords of an account are counted in its own row. A name without an account is counted here by the same
rule, so that its pauses do not tell that there is no such account.
"""

from datetime import datetime

from protocol.encoding import digest
from schemas.base import Digest, Message, Moment
from schemas.codec import Event
from schemas.login_guesses import CountGuess, ForgetGuesses
from services.common.decisions import OK, Decision, Row
from services.login.domain.limits import QUIET, PauseLimits, Rejection, Rules, failures_in_a_row


class Guesses(Row):
    """A source of guesses.

    Attributes:
        source: SHA-256 over what it is; the row's key.
        wrong: How many wrong passwords in a row came from it.
        last_at: When the last one did.
        paused_until: No password is taken from it before.

    """

    source: Digest
    wrong: int = 0
    last_at: Moment
    paused_until: Moment | None = None

    def paused(self, at: datetime) -> bool:
        """Tell whether no password is taken from it just now."""
        return self.paused_until is not None and at < self.paused_until


def address_source(address: str) -> str:
    """Return the source that an address is."""
    return digest(f"address\x00{address}".encode())


def name_source(name: str) -> str:
    """Return the source that a name is, as it was typed in its canonical form."""
    return digest(f"name\x00{name}".encode())


def decide_guess(row: Guesses | None, event: Event[Message], rules: Rules) -> Decision[Guesses]:
    """Decide any event that concerns a source of guesses.

    Args:
        row: What is known of the source, or None.
        event: The event.
        rules: The pauses.

    Returns:
        The decision; its outcome is ``locked`` where the pause has begun or goes on.

    """
    match event.data:
        case CountGuess() as command:
            return _count(row, command, rules.addresses if command.by_address else rules.passwords)
        case ForgetGuesses() as command:
            return Decision(None if row is None or command.at > row.last_at + QUIET else row)
        case _:
            return Decision(row)


def _count(row: Guesses | None, command: CountGuess, pauses: PauseLimits) -> Decision[Guesses]:
    if row is not None and row.paused(command.at):
        return Decision(row, outcome=Rejection.LOCKED)
    before, last_at = (0, None) if row is None else (row.wrong, row.last_at)
    wrong = failures_in_a_row(before, last_at, command.at)
    paused_until = pauses.until(wrong, command.at)
    counted = Guesses(source=command.source, wrong=wrong, last_at=command.at, paused_until=paused_until)
    return Decision(counted, outcome=Rejection.LOCKED if paused_until else OK)
