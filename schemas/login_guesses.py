"""Wrong passwords that no account counts: those from one address, and those for names that nobody has."""

from typing import ClassVar

from schemas.base import Command, Digest
from schemas.topics import LOGIN_GUESSES, Topic


class GuessCommand(Command):
    """A command to the owner of a source of guesses.

    Attributes:
        source: The source: SHA-256 over what it is, because people type passwords where names belong.

    """

    topic: ClassVar[Topic] = LOGIN_GUESSES

    source: Digest

    @property
    def key(self) -> str:
        """Return the source: its partition's owner decides."""
        return self.source


class CountGuess(GuessCommand):
    """A password was wrong.

    Attributes:
        by_address: True if the source is an address, False if it is a name that no account has.

    """

    type: ClassVar[str] = "countersign.login.count_guess.v1"

    by_address: bool


class ForgetGuesses(GuessCommand):
    """Forget a source that was quiet for long enough."""

    type: ClassVar[str] = "countersign.login.forget_guesses.v1"
