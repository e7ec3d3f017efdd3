"""Administration of accounts from the command line, by commands to the accounts' owners."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aiokafka.errors import KafkaError

from schemas.login_messages import AccountCommand, CreateAccount, Invite, RemoveAccount, ResetMethods, SetEmail
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.connection import KafkaConnection, unreachable_text
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.partitions import PartitionsError, common_count
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.kafka.topic_facts import read_partition_counts
from services.common.progress import Progress
from services.common.rows.view import View
from services.login.addresses import read_address
from services.login.domain.account import Account
from services.login.domain.rejections import Rejection
from services.login.names import LONGEST_NAME, account_id_of
from services.login.pairing.enrolment_codes import new_invitation
from services.login.settings import DEFAULT_PRODUCT_NAME
from services.login.sign_in.password_policy import WEAKNESS_TEXTS, find_weakness
from services.login.sign_in.passwords import hash_password
from services.login.tables import ACCOUNTS, TOPOLOGY

STALL_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
DECISION_SECONDS: Final = 30.0


class AdminError(Exception):
    """A command that cannot be carried out; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Administration:
    """A connection to the accounts."""

    view: View[Account]
    publisher: Publisher

    async def add(
        self,
        name: str,
        password: str,
        display_name: str | None = None,
        product_name: str = DEFAULT_PRODUCT_NAME,
        *,
        email: str = "",
    ) -> Account:
        """Create an account.

        Args:
            name: The sign-in name.
            password: The password.
            display_name: The name as its owner reads it; default the sign-in name.
            product_name: The product's name, which the password must not contain.
            email: The address for notifications; empty for none.

        Raises:
            AdminError: If the name, password or address is not acceptable, or the account exists.

        """
        account_id, shown_name = _id_of(name), (display_name or name).strip()
        weakness = find_weakness(password, (account_id, shown_name, product_name))
        if weakness is not None:
            raise AdminError(WEAKNESS_TEXTS[weakness])
        known = self.view.get(account_id)
        command = CreateAccount(
            account_id=account_id,
            revision=0 if known is None else known.revision,
            at=now(),
            display_name=shown_name,
            password_hash=await asyncio.to_thread(hash_password, password),
            email=_address(email),
        )
        outcome, account = await self._decide(command)
        if outcome == Rejection.ACCOUNT_EXISTS:
            text = f"The account {command.account_id} already exists. Remove it first, or choose another name."
            raise AdminError(text)
        return account

    async def remove(self, name: str) -> None:
        """Remove an account.

        Raises:
            AdminError: If no account has that name.

        """
        await self._decide(RemoveAccount(**self._existing(name), at=now()))

    async def set_email(self, name: str, email: str) -> None:
        """Change the address for an account's notifications; an empty one stops them.

        Raises:
            AdminError: If no account has that name, or the address is not valid.

        """
        await self._decide(SetEmail(**self._existing(name), at=now(), email=_address(email)))

    async def invite(self, name: str, lifetime: timedelta) -> str:
        """Create an enrolment code for an account; an earlier code no longer works.

        Returns:
            The code, for the account's owner. It is stored nowhere.

        Raises:
            AdminError: If no account has that name.

        """
        code, digest = new_invitation()
        at = now()
        command = Invite(**self._existing(name), at=at, invitation_digest=digest, expires_at=at + lifetime)
        await self._decide(command)
        return code

    async def reset(self, name: str) -> None:
        """Remove all methods of an account and sign it out everywhere; its owner enrols again.

        Raises:
            AdminError: If no account has that name.

        """
        await self._decide(ResetMethods(**self._existing(name), at=now()))

    def list(self, on_unreadable: Callable[[str], None]) -> Iterator[Account]:
        """Yield all accounts by name, one at a time.

        Args:
            on_unreadable: Takes the name of each account whose row cannot be read.

        """
        return (account for account in self.view.all(on_unreadable) if account.removed_at is None)

    def _existing(self, name: str) -> dict[str, Any]:
        """Return what a command names an account by."""
        account_id = _id_of(name)
        known = self.view.get(account_id)
        if known is None or known.removed_at is not None:
            text = f"There is no account {account_id}. List them with: countersign accounts list"
            raise AdminError(text)
        return {"account_id": account_id, "revision": known.revision}

    async def _decide(self, command: AccountCommand) -> tuple[str, Account]:
        try:
            event_id = await self.publisher.publish_command(command)
        except UnavailableError as error:
            text = "Kafka did not accept the command. Is it running?"
            raise AdminError(text) from error
        decided = await self.view.await_outcome(command.account_id, event_id, DECISION_SECONDS)
        if decided is None:
            text = (
                f"No login service carried out the command within {DECISION_SECONDS:.0f} s. Is one running? "
                "The command takes effect as soon as one starts."
            )
            raise AdminError(text)
        if decided[0] == Rejection.CHANGED:
            text = (
                f"The account {command.account_id} changed at the same moment, and the command did nothing. Look at it "
                "again (countersign accounts list), and repeat the command if it is still right."
            )
            raise AdminError(text)
        if decided[0] not in {OK, Rejection.ACCOUNT_EXISTS}:
            text = f"The login service rejected the command: {decided[0]}"
            raise AdminError(text)
        return decided


@asynccontextmanager
async def administration(
    connection: KafkaConnection, prefix: str, on_progress: Callable[[Progress], None] = lambda _progress: None
) -> AsyncIterator[Administration]:
    """Connect to the accounts, and read them into a temporary directory.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.
        on_progress: Takes the progress of reading, several times a second.

    Raises:
        AdminError: If Kafka cannot be reached, the accounts cannot be read, or a repartition is unfinished.

    """
    publisher = Publisher(connection, prefix, "admin")
    try:
        await publisher.start()
        common_count(await read_partition_counts(connection), [prefix + topic.name for topic in TOPOLOGY.topics])
    except PartitionsError as error:
        await publisher.stop()
        raise AdminError(str(error)) from error
    except KafkaError as error:
        await publisher.stop()
        raise AdminError(unreachable_text(connection, error)) from error
    with TemporaryDirectory(prefix="countersign-accounts-") as directory:
        view = View(
            KafkaChangelog(connection, f"{prefix}{ACCOUNTS.changelog.name}", publisher), Account, Path(directory)
        )
        reading = asyncio.create_task(view.run())
        try:
            await _catch_up(view, reading, on_progress)
            yield Administration(view, publisher)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await publisher.stop()


async def _catch_up(
    view: View[Account], reading: "asyncio.Task[None]", on_progress: Callable[[Progress], None]
) -> None:
    """Wait until the accounts have been read, for as long as reading makes progress."""
    ready = asyncio.create_task(view.wait_ready())
    before, moved_at = view.progress, time.monotonic()
    while not ready.done():
        await asyncio.wait({ready, reading}, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        on_progress(view.progress)
        if view.progress != before:
            before, moved_at = view.progress, time.monotonic()
        if reading.done():
            ready.cancel()
            text = f"The accounts could not be read: {reading.exception()}"
            raise AdminError(text)
        if time.monotonic() - moved_at > STALL_SECONDS:
            ready.cancel()
            text = f"The accounts could not be read within {STALL_SECONDS:.0f} s ({view.reason}). Do the topics exist?"
            raise AdminError(text)


def _id_of(name: str) -> str:
    account_id = account_id_of(name)
    if account_id is None:
        text = f"A name has 1 to {LONGEST_NAME} letters (a to z), digits and . _ ~ @ + -"
        raise AdminError(text)
    return account_id


def _address(email: str) -> str:
    try:
        return read_address(email).addr_spec if email else ""
    except ValueError:
        text = f"{email[:100]!r} is not an e-mail address."
        raise AdminError(text) from None
