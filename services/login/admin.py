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

from protocol.names import LONGEST_DISPLAY_NAME, read_name
from schemas.login_messages import (
    AccountCommand,
    CreateAccount,
    Invite,
    NameCommand,
    RemoveAccount,
    RenameAccount,
    ResetMethods,
    SetEmail,
    SetPassword,
)
from schemas.topics import LOGIN
from services.common.clock import new_id, now
from services.common.decisions import OK, RowT
from services.common.kafka.connection import KafkaConnection, unreachable_text
from services.common.kafka.log import KafkaChangelog
from services.common.kafka.partitions import PartitionsError, common_count
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.kafka.topic_facts import read_partition_counts
from services.common.keys.key_files import KeyFileError
from services.common.keys.key_rotation import require_keys
from services.common.keys.keys import require_secret
from services.common.keys.peppers import PEPPER, Pepper, load_peppers
from services.common.progress import Progress
from services.common.rows.table import Table
from services.common.rows.view import View
from services.login.addresses import read_address
from services.login.codes.drawn_codes import draw_code, grouped
from services.login.directory import LONGEST_NAME, NAME_KEY, Directory, prepare_name
from services.login.domain.account import Account
from services.login.domain.names import Name
from services.login.domain.rejections import Rejection
from services.login.pairing.enrolment_codes import new_invitation
from services.login.settings import DEFAULT_PRODUCT_NAME
from services.login.sign_in.password_policy import WEAKNESS_TEXTS, PasswordPolicy
from services.login.sign_in.passwords import hash_password
from services.login.tables import ACCOUNTS, NAMES, TOPOLOGY

STALL_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.2
DECISION_SECONDS: Final = 30.0
DEFAULT_POLICY: Final = PasswordPolicy(DEFAULT_PRODUCT_NAME)
PASSWORD_CHARACTERS: Final = 16
"""80 random bits."""
PASSWORD_GROUP: Final = 4


class AdminError(Exception):
    """A command that cannot be carried out; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Administration:
    """A connection to the accounts.

    Attributes:
        view: The accounts.
        names: Their names.
        directory: Finds the accounts by their names.
        pepper: The active key of password hashes.
        publisher: Publishes the commands.

    """

    view: View[Account]
    names: View[Name]
    directory: Directory
    pepper: Pepper
    publisher: Publisher

    async def add(
        self,
        name: str,
        password: str,
        display_name: str | None = None,
        policy: PasswordPolicy = DEFAULT_POLICY,
        *,
        email: str = "",
    ) -> Account:
        """Create an account.

        Args:
            name: The sign-in name.
            password: The password.
            display_name: The name as its owner reads it; default the sign-in name.
            policy: The policy of the password.
            email: The address for notifications; empty for none.

        Raises:
            AdminError: If the name, password or address is not acceptable, or the account exists.

        """
        prepared, shown_name = _prepared(name), read_name(display_name or name, LONGEST_DISPLAY_NAME)
        if shown_name is None:
            text = f"A display name has 1 to {LONGEST_DISPLAY_NAME} printable characters."
            raise AdminError(text)
        weakness = policy.find_weakness(password, prepared, shown_name)
        if weakness is not None:
            raise AdminError(WEAKNESS_TEXTS[weakness])
        command = CreateAccount(
            name_digest=self.directory.digest(prepared),
            account_id=new_id(),
            at=now(),
            name=prepared,
            display_name=shown_name,
            password_hash=await asyncio.to_thread(hash_password, password, self.pepper),
            email=_address(email),
        )
        await self._claim(command)
        return await self._await(command.account_id, lambda row: row.account_id == command.account_id)

    async def rename(self, name: str, new_name: str) -> None:
        """Give an account another sign-in name.

        Raises:
            AdminError: If no account has that name, or the new name is not acceptable or taken.

        """
        account, prepared = self._existing(name), _prepared(new_name)
        if prepared == account.name:
            text = f"The account has the name {prepared} already."
            raise AdminError(text)
        command = RenameAccount(
            name_digest=self.directory.digest(prepared), account_id=account.account_id, at=now(), name=prepared
        )
        await self._claim(command)
        await self._await(account.account_id, lambda row: row.name == prepared)
        await self._await_release(self.directory.digest(account.name), account.account_id)

    async def remove(self, name: str) -> None:
        """Remove an account, and free its name; also a name that an account never opened, or did not release.

        Raises:
            AdminError: If no account has that name.

        """
        digest = self.directory.digest(name)
        account_id = self.directory.account_id(digest)
        if account_id is None:
            raise _no_account(name)
        known = self.view.get(account_id)
        revision = 0 if known is None else known.revision
        await self._decide(RemoveAccount(account_id=account_id, revision=revision, at=now(), name_digest=digest))
        await self._await_release(digest, account_id)

    async def set_email(self, name: str, email: str) -> None:
        """Change the address for an account's notifications; an empty one stops them.

        Raises:
            AdminError: If no account has that name, or the address is not valid.

        """
        await self._decide(SetEmail(**self._target(name), at=now(), email=_address(email)))

    async def invite(self, name: str, lifetime: timedelta) -> str:
        """Create an enrolment code for an account; an earlier code no longer works.

        Returns:
            The code, for the account's owner. It is stored nowhere.

        Raises:
            AdminError: If no account has that name.

        """
        code, digest = new_invitation()
        at = now()
        command = Invite(**self._target(name), at=at, invitation_digest=digest, expires_at=at + lifetime)
        await self._decide(command)
        return code

    async def set_password(self, name: str) -> str:
        """Set a password for one sign-in to an account, and sign it out everywhere.

        Returns:
            The password, for the account's owner. Only its hash is stored.

        Raises:
            AdminError: If no account has that name.

        """
        password = grouped(draw_code(PASSWORD_CHARACTERS), PASSWORD_GROUP)
        password_hash = await asyncio.to_thread(hash_password, password, self.pepper)
        await self._decide(SetPassword(**self._target(name), at=now(), password_hash=password_hash))
        return password

    async def reset(self, name: str) -> None:
        """Remove all methods of an account and sign it out everywhere; its owner enrols again.

        Raises:
            AdminError: If no account has that name.

        """
        await self._decide(ResetMethods(**self._target(name), at=now()))

    def require_own_keys(self) -> None:
        """Check that the keys are those of the accounts, by the name of one of them.

        Raises:
            AdminError: If they are not: an account that is made with them could not sign in.

        """
        known = next((each for each in self.list(lambda _key: None)), None)
        if known is not None and known.name_digest != self.directory.digest(known.name):
            text = "The keys in the secrets directory are not those of these accounts (--secrets-directory)."
            raise AdminError(text)

    def list(self, on_unreadable: Callable[[str], None]) -> Iterator[Account]:
        """Yield all accounts, one at a time.

        Args:
            on_unreadable: Takes the id of each account whose row cannot be read.

        """
        return (account for account in self.view.all(on_unreadable) if account.removed_at is None)

    def _existing(self, name: str) -> Account:
        account = self.directory.find(self.directory.digest(name))
        if account is None:
            raise _no_account(name)
        return account

    def _target(self, name: str) -> dict[str, Any]:
        """Return what a command names an account by."""
        account = self._existing(name)
        return {"account_id": account.account_id, "revision": account.revision}

    async def _claim(self, command: CreateAccount | RenameAccount) -> None:
        """Claim a name for an account."""
        event_id = await self._publish(command)
        decided = await self.names.await_outcome(command.name_digest, event_id, DECISION_SECONDS)
        if decided is None:
            raise _undecided()
        if decided[0] != OK:
            text = f"Another account has the name {command.name}. Remove that account first, or choose another name."
            raise AdminError(text)

    async def _await(self, account_id: str, holds: Callable[[Account], bool]) -> Account:
        """Return an account as soon as a condition holds."""
        account = await self.view.wait_until(account_id, holds, DECISION_SECONDS)
        if account is None:
            raise _undecided()
        return account

    async def _await_release(self, name_digest: str, account_id: str) -> None:
        """Wait until an account has released a name."""
        released = await self.names.wait_until(name_digest, lambda row: row.account_id != account_id, DECISION_SECONDS)
        if released is None:
            raise _undecided()

    async def _decide(self, command: AccountCommand) -> None:
        event_id = await self._publish(command)
        decided = await self.view.await_outcome(command.account_id, event_id, DECISION_SECONDS)
        if decided is None:
            raise _undecided()
        if decided[0] == Rejection.CHANGED:
            text = (
                "The account changed at the same moment, and the command did nothing. Look at it again "
                "(countersign accounts list), and repeat the command if it is still right."
            )
            raise AdminError(text)
        if decided[0] != OK:
            text = f"The login service rejected the command: {decided[0]}"
            raise AdminError(text)

    async def _publish(self, command: AccountCommand | NameCommand) -> str:
        try:
            return await self.publisher.publish_command(command)
        except UnavailableError as error:
            text = "Kafka did not accept the command. Is it running?"
            raise AdminError(text) from error


@asynccontextmanager
async def administration(
    connection: KafkaConnection,
    prefix: str,
    secrets: Path,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> AsyncIterator[Administration]:
    """Connect to the accounts, and read them into a temporary directory.

    Args:
        connection: How to reach Kafka.
        prefix: The topics' prefix.
        secrets: The services' secrets directory.
        on_progress: Takes the progress of reading, several times a second.

    Raises:
        AdminError: If Kafka cannot be reached, the accounts cannot be read, the keys are missing or are not those of
            the accounts, or a repartition is unfinished.

    """
    publisher = Publisher(connection, prefix, "admin")
    try:
        key, pepper = _load_keys(secrets)
        await publisher.start()
        common_count(await read_partition_counts(connection), [prefix + topic.name for topic in TOPOLOGY.topics])
    except (PartitionsError, KeyFileError) as error:
        await publisher.stop()
        raise AdminError(str(error)) from error
    except KafkaError as error:
        await publisher.stop()
        raise AdminError(unreachable_text(connection, error)) from error
    with TemporaryDirectory(prefix="countersign-accounts-") as directory:

        def view_of(table: Table[RowT]) -> View[RowT]:
            topic = KafkaChangelog(connection, f"{prefix}{table.changelog.name}", publisher)
            return View(topic, table.model, Path(directory))

        names, accounts = view_of(NAMES), view_of(ACCOUNTS)
        reading = [asyncio.create_task(view.run()) for view in (names, accounts)]
        try:
            await _catch_up(names, reading[0], on_progress)
            await _catch_up(accounts, reading[1], on_progress)
            connected = Administration(accounts, names, Directory(key, names, accounts), pepper, publisher)
            connected.require_own_keys()
            yield connected
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
            await publisher.stop()


def _load_keys(secrets: Path) -> tuple[bytes, Pepper]:
    """Return the secret of the names' digests, and the active pepper.

    Raises:
        KeyFileError: If the services have not made them yet, or a file cannot be read.

    """
    require_keys(secrets, LOGIN, PEPPER)
    return require_secret(secrets, NAME_KEY), load_peppers(secrets, LOGIN).active


async def _catch_up(view: View[Any], reading: "asyncio.Task[None]", on_progress: Callable[[Progress], None]) -> None:
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


def _prepared(name: str) -> str:
    prepared = prepare_name(name)
    if prepared is None:
        text = f"A name has 1 to {LONGEST_NAME} letters, digits and visible marks, and no spaces."
        raise AdminError(text)
    return prepared


def _no_account(name: str) -> AdminError:
    return AdminError(f"There is no account {name[:LONGEST_NAME]!r}. List them with: countersign accounts list")


def _undecided() -> AdminError:
    return AdminError(
        f"No login service carried out the command within {DECISION_SECONDS:.0f} s. Is one running? "
        "The command takes effect as soon as one starts."
    )


def _address(email: str) -> str:
    try:
        return read_address(email).addr_spec if email else ""
    except ValueError:
        text = f"{email[:100]!r} is not an e-mail address."
        raise AdminError(text) from None
