"""Which sources of guesses are forgotten: those that were quiet for long."""

from datetime import datetime
from typing import Final

from schemas.login_guesses import ForgetGuesses
from services.login.domain.guesses import Guesses
from services.login.domain.limits import QUIET

MOST_AT_ONCE: Final = 5000


def forget_quiet(row: Guesses, at: datetime) -> ForgetGuesses | None:
    """Give the command to forget a source, if it is of no use at a time."""
    return ForgetGuesses(source=row.source, at=at) if at > row.last_at + QUIET else None
