"""Counts of wrong passwords by address, and for names without an account."""

from datetime import datetime

from schemas.login_messages import CountGuess
from services.common.clock import now
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.login.domain.guesses import Guesses, address_source


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

    def address_paused_until(self, address: str, at: datetime) -> datetime | None:
        """Return when an address's pause ends, or None if it is not paused."""
        row = self._guesses.get(address_source(self._key, address))
        return row.passwords.paused_until if row is not None and row.passwords.is_paused(at) else None

    async def count_address(self, address: str) -> None:
        """Count a wrong password from an address.

        Raises:
            UnavailableError: If no decision arrives in time; the command may still take effect.

        """
        await self._count(CountGuess(source=address_source(self._key, address), at=now(), by_address=True))

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
