"""Counts the wrong passwords that no account counts, and knows which addresses are paused."""

from datetime import datetime

from schemas.login_messages import CountGuess
from services.common.clock import now
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.view import View
from services.login.domain.guesses import Guesses, address_source, name_source


class GuessCounts:
    """Counts them for one instance; the sources' owners decide, so the pauses hold over all of them."""

    def __init__(self, guesses: View[Guesses], publisher: Publisher) -> None:
        self._guesses = guesses
        self._publisher = publisher

    def address_paused_until(self, address: str, at: datetime) -> datetime | None:
        """Return when a password is taken from an address again, or None if one is taken now."""
        row = self._guesses.get(address_source(address))
        return row.passwords.paused_until if row is not None and row.passwords.is_paused(at) else None

    async def count_address(self, address: str) -> None:
        """Count a wrong password that came from an address.

        Raises:
            UnavailableError: If it is not decided in time; it may yet be.

        """
        await self._count(CountGuess(source=address_source(address), at=now(), by_address=True))

    async def count_name(self, name: str) -> tuple[str, datetime | None]:
        """Count a wrong password for a name that no account has.

        Returns:
            The outcome and the end of the pause, as an account's owner decides them for a name that one has.

        Raises:
            UnavailableError: If it is not decided in time; it may yet be.

        """
        outcome, row = await self._count(CountGuess(source=name_source(name), at=now(), by_address=False))
        return outcome, row.passwords.paused_until

    async def _count(self, command: CountGuess) -> tuple[str, Guesses]:
        decided = await self._guesses.await_outcome(command.source, await self._publisher.publish_command(command))
        if decided is None:
            raise UnavailableError
        return decided
