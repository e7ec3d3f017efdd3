"""The login service's storage: its table, and the view of it that every instance has."""

import faust

from schemas.topics import ACCOUNTS_CHANGELOG, ACCOUNTS_TABLE
from services.common.tables import RowTable
from services.common.views import View
from services.login.domain.rows import Account
from services.login.settings import LoginSettings


def accounts_table(app: faust.App, settings: LoginSettings) -> RowTable[Account]:
    """Declare the table of accounts, by account id."""
    return RowTable(app, ACCOUNTS_TABLE, Account, settings.partitions)


def accounts_view(bootstrap: str, prefix: str) -> View[Account]:
    """Return the view of all accounts.

    Args:
        bootstrap: Kafka's ``host:port`` list.
        prefix: What stands before each topic's name.

    """
    return View(bootstrap, f"{prefix}{ACCOUNTS_CHANGELOG.name}", Account)
