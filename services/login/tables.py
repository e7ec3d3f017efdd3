"""The login service's storage: its tables, and the views of them that every instance has."""

from pathlib import Path

import faust

from schemas.topics import ACCOUNTS_CHANGELOG, ACCOUNTS_TABLE, GUESSES_CHANGELOG, GUESSES_TABLE
from services.common.rows.view import View
from services.common.streams.row_table import RowTable
from services.login.domain.account import Account
from services.login.domain.guesses import Guesses
from services.login.settings import LoginSettings


def accounts_table(app: faust.App, settings: LoginSettings) -> RowTable[Account]:
    """Declare the table of accounts, by account id."""
    return RowTable(app, ACCOUNTS_TABLE, Account, settings.partitions)


def accounts_view(bootstrap: str, prefix: str, directory: Path) -> View[Account]:
    """Return the view of all accounts.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.
        directory: Where its rows are kept.

    """
    return View(bootstrap, f"{prefix}{ACCOUNTS_CHANGELOG.name}", Account, directory)


def guesses_table(app: faust.App, settings: LoginSettings) -> RowTable[Guesses]:
    """Declare the table of sources of guesses, by their digest."""
    return RowTable(app, GUESSES_TABLE, Guesses, settings.partitions)


def guesses_view(bootstrap: str, prefix: str, directory: Path) -> View[Guesses]:
    """Return the view of all sources of guesses.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.
        directory: Where its rows are kept.

    """
    return View(bootstrap, f"{prefix}{GUESSES_CHANGELOG.name}", Guesses, directory)
