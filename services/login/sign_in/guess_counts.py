"""Counts of passwords tried by network, and of wrong ones for names without an account."""

from datetime import datetime

from schemas.login_messages import CountGuess, RefundGuess
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.login.domain.guesses import Guesses, network_source


class GuessCounts:
    """Counts wrong passwords by commands to the sources' owners, so a pause holds at every instance."""

    def __init__(self, key: bytes, guesses: View[Guesses], publisher: Publisher) -> None:
        """Take the parts.

        Args:
            key: The secret of the addresses' digests.
            guesses: The counts.
            publisher: Publishes the commands.

        """
        self._key = key
        self._guesses = guesses
        self._publisher = publisher

    async def try_from(self, network: str) -> datetime | None:
        """Count a try from a network before it is made, so that many at once are no more than one after the other.

        Returns:
            None if it may be made, or until when none may.

        Raises:
            UnavailableError: If no decision arrives in time; the command may still take effect.

        """
        source = network_source(self._key, network)
        outcome, row = await self._count(CountGuess(source=source, at=now(), by_address=True))
        return None if outcome == OK else row.passwords.paused_until

    async def refund(self, network: str) -> None:
        """Take back a network's try, whose password was right."""
        await self._publisher.publish_command(RefundGuess(source=network_source(self._key, network), at=now()))

    async def count_name(self, name_digest: str) -> tuple[str, datetime | None]:
        """Count a wrong password for a name without an account.

        Returns:
            The outcome and the end of the pause, as for a name with an account.

        Raises:
            UnavailableError: If no decision arrives in time; the command may still take effect.

        """
        outcome, row = await self._count(CountGuess(source=name_digest, at=now(), by_address=False))
        return outcome, row.passwords.paused_until

    async def _count(self, command: CountGuess) -> tuple[str, Guesses]:
        decided = await self._guesses.await_outcome(command.source, await self._publisher.publish_command(command))
        if decided is None:
            raise UnavailableError
        return decided
