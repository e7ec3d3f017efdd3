"""The page that changes the password."""

from typing import Final

from aiohttp import web

from schemas.login_commands import FailPassword
from schemas.login_sessions import ChangePassword
from services.common.clock import now
from services.login.account import change_messages
from services.login.account.page import AccountPage
from services.login.domain.limits import Rejection
from services.login.sign_in.password_policy import SHORTEST_PASSWORD, find_weakness
from services.login.sign_in.passwords import Passwords
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of
from services.login.web.signed_in import SignedInUser, SignedInUsers

PASSWORD: Final = f"{login_pages.ACCOUNT}/password"


class PasswordPage:
    """Serves it for one instance."""

    def __init__(self, desk: Forms, owners: SignedInUsers, page: AccountPage, passwords: Passwords) -> None:
        """Take the parts that it needs.

        Args:
            desk: Takes forms in.
            owners: Knows who is signed in.
            page: The account's page, which shows refusals.
            passwords: Checks and hashes passwords.

        """
        self._desk = desk
        self._owners = owners
        self._page = page
        self._passwords = passwords

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the page and its form to a router."""
        router.add_get(PASSWORD, self.show)
        router.add_post(PASSWORD, self.change)

    async def show(self, request: web.Request) -> web.Response:
        """Show the form."""
        return self._render(request, await self._owners.of(request))

    async def change(self, request: web.Request) -> web.Response:
        """Take another password."""
        form = await self._desk.form(request)
        owner = await self._owners.of(request)
        if not owner.confirmed:
            return self._page.render(request, owner, Rejection.NOT_CONFIRMED)
        account, new = owner.account, form.get("new", "")
        if account.locked_until is not None and owner.at < account.locked_until:
            return self._render(request, owner, page_messages.locked(account.locked_until, owner.at))
        if not await self._passwords.matches(account.password_hash, form.get("old", "")):
            return await self._refuse(request, owner)
        if new == form.get("old"):
            return self._render(request, owner, change_messages.same_password())
        weakness = find_weakness(new, (account.account_id, account.display_name, self._desk.pages.names.product))
        if weakness is not None:
            return self._render(request, owner, change_messages.weak_password(weakness))
        command = owner.command(
            ChangePassword,
            old_password_hash=account.password_hash,
            password_hash=await self._passwords.hash(new),
        )
        refusal = await self._owners.change(request, command)
        if refusal is not None:
            return self._page.render(request, owner, refusal)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)

    async def _refuse(self, request: web.Request, owner: SignedInUser) -> web.Response:
        """Count the wrong password as at a sign-in, so that a browser left open is no place to guess at it."""
        command = FailPassword(account_id=owner.account.account_id, at=now(), browser=owner.session.browser)
        outcome, row = await self._desk.decide(request, command)
        if outcome == Rejection.LOCKED and row.locked_until is not None:
            return self._render(request, owner, page_messages.locked(row.locked_until, now()))
        return self._render(request, owner, change_messages.wrong_old_password())

    def _render(
        self, request: web.Request, owner: SignedInUser, message: page_messages.PageMessage | None = None
    ) -> web.Response:
        return self._desk.pages.render(
            request,
            "password",
            status_of(request, message),
            error=message,
            confirmed=owner.confirmed,
            reported=owner.account.push.reported,
            account_id=owner.account.account_id,
            shortest=SHORTEST_PASSWORD,
        )
