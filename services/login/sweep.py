"""Which sources of guesses are forgotten: those that were quiet for long."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from schemas.login_guesses import ForgetGuesses
from services.common.views import View
from services.login.domain.guesses import Guesses
from services.login.domain.rules import QUIET

MOST_AT_ONCE: Final = 5000


def quiet_sources(guesses: View[Guesses], at: datetime) -> Iterator[ForgetGuesses]:
    """Give the commands to forget the sources that are of no use at a time."""
    return (ForgetGuesses(source=row.source, at=at) for row in guesses.all() if at > row.last_at + QUIET)
