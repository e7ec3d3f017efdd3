"""Makes seeded people's rows in processes of their own, one for each core: signatures take most of the time."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lab.load.row_builder import RowBuilder, tables_of
from lab.load.seed_keys import DEVICE_NAME, Seed
from operations.audit.bound_table import BoundTable
from services.common.decisions import Row
from services.common.kafka.partitions import part_key
from services.common.keys.keys import load_secret
from services.common.rows.codec import write_part, write_row
from services.login.directory import NAME_KEY
from services.login.domain.account import Account
from services.login.settings import LoginSettings
from services.pairing.settings import PairingSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """The accounts and phones that shall be there.

    Attributes:
        seed: What names and keys follow from.
        accounts: How many accounts.
        phones: How many of them, the first ones, have a phone.
        password_hash: The one hash of their one password, Argon2id in PHC string format.

    """

    seed: Seed
    accounts: int
    phones: int
    password_hash: str


@dataclass(frozen=True, slots=True)
class Order:
    """What is missing of a person.

    Attributes:
        number: Which one of the seed.
        account: The account's row, if it is there.
        phone: Whether a phone shall be paired.

    """

    number: int
    account: Account | None
    phone: bool


@dataclass(frozen=True, slots=True)
class _Maker:
    plan: Plan
    tables: tuple[BoundTable, ...]
    name_key: bytes = field(repr=False)

    def make(self, order: Order) -> RowBuilder:
        name = self.plan.seed.name(order.number)
        builder = RowBuilder(self.tables, name, order.account)
        if order.account is None:
            builder.make_account(self.plan.password_hash, self.name_key)
        if order.phone:
            builder.pair(self.plan.seed.key(name), DEVICE_NAME)
        return builder


_makers: list[_Maker] = []
"""The one of this process, once it is prepared."""


def prepare(plan: Plan, login: LoginSettings, pairing: PairingSettings) -> None:
    """Prepare this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the process that started this
    _makers.append(_Maker(plan, tables_of(login, pairing), load_secret(login.secrets_directory, NAME_KEY)))


def make_rows(orders: Sequence[Order]) -> list[tuple[str, bytes, bytes]]:
    """Make what is missing of some people.

    Returns:
        The changelog's name without its prefix, the key and the value of each row and of its parts; of a person, the
        account comes last.

    Raises:
        CommandRejectedError: If the rules reject it.

    """
    builders = [_makers[-1].make(order) for order in orders]
    return [
        (changelog.name, key, value)
        for builder in builders
        for changelog, name, row in builder.rows()
        for key, value in _records(name.encode(), row)
    ]


def _records(key: bytes, row: Row) -> Iterator[tuple[bytes, bytes]]:
    """Give the key and the value of each part of a row, and then of the row."""
    for name, part in row.parts():
        if part is not None:
            yield part_key(key, name), write_part(part)
    yield key, write_row(row)
