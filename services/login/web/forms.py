"""Forms: their fields, and the decisions on their commands by the account's owner."""

from contextlib import suppress
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from schemas.login_messages import AccountCommand
from services.common.kafka.publisher import Publisher, UnavailableError
from services.common.rows.codec import read_part
from services.common.rows.view import View
from services.login.domain.account import Account
from services.login.domain.history import HistoryEntry
from services.login.domain.policy import Policy
from services.login.web import page_messages
from services.login.web.context import ContextLoader
from services.login.web.cookies import Cookies
from services.login.web.pages import Pages
from services.login.web.read_your_writes import remember_version

FORM_TYPE: Final = "application/x-www-form-urlencoded"
UTF_8: Final = "utf-8"


class Forms:
    """Reads forms and sends their commands to the accounts' owners; holds what all handlers share."""

    def __init__(  # noqa: PLR0913 - what all forms share
        self,
        *,
        pages: Pages,
        contexts: ContextLoader,
        cookies: Cookies,
        policy: Policy,
        accounts: View[Account],
        publisher: Publisher,
    ) -> None:
        self.pages = pages
        self.contexts = contexts
        self.cookies = cookies
        self.policy = policy
        self._accounts = accounts
        self._publisher = publisher

    def account(self, account_id: str | None) -> Account | None:
        """Return an account, or None if it does not exist or was removed."""
        account = None if account_id is None else self._accounts.get(account_id)
        return None if account is None or account.removed_at is not None else account

    def history(self, account: Account) -> list[HistoryEntry]:
        """Return the entries of an account's history, oldest first; those that a newer release wrote are left out."""
        entries = list[HistoryEntry]()
        for value in self._accounts.parts(account.account_id, account.stored_history):
            with suppress(ValidationError):
                if value is not None:
                    entries.append(read_part(HistoryEntry, value))
        return sorted((*entries, *account.history), key=lambda each: each.at)

    async def decide(self, request: web.Request, command: AccountCommand) -> tuple[str, Account]:
        """Publish a command and await its decision; the response carries the version of the row that it shows.

        Returns:
            The outcome, and the account after the decision.

        Raises:
            UnavailableError: If no decision arrives in time; the command may still take effect.

        """
        outcome, row = await self.decide_for_stranger(command)
        remember_version(request, row)
        return outcome, row

    async def decide_for_stranger(self, command: AccountCommand) -> tuple[str, Account]:
        """Publish a command and await its decision; the response shows nothing of the row, not even that there is one.

        Returns and raises as `decide` does.
        """
        event_id = await self._publisher.publish_command(command)
        decided = await self._accounts.await_outcome(command.account_id, event_id)
        if decided is None:
            raise UnavailableError
        return decided

    async def publish(self, command: AccountCommand) -> None:
        """Publish a command without awaiting the decision."""
        await self._publisher.publish_command(command)

    async def read(self, request: web.Request) -> dict[str, str]:
        """Return a form's fields.

        Raises:
            HTTPForbidden: If the form lacks this browser's CSRF token.

        """
        form = await _fields(request)
        if not self.cookies.csrf_holds(request, form.get("csrf")):
            raise web.HTTPForbidden(text=page_messages.stale_form().text)
        return form


async def _fields(request: web.Request) -> dict[str, str]:
    """Return a form's fields; none if a browser would not send this body for one of the pages."""
    if request.content_type != FORM_TYPE or (request.charset or UTF_8).lower() != UTF_8:
        return {}
    try:
        form = await request.post()
    except UnicodeDecodeError:
        return {}
    return {name: value for name, value in form.items() if isinstance(value, str)}
