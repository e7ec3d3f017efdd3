"""The page that changes the password."""

import structlog
from aiohttp import web

from protocol.encoding import digest
from schemas.login_messages import ChangePassword, FailPassword
from services.common.clock import now
from services.common.kafka.publisher import UnavailableError
from services.login.account import change_messages
from services.login.account.page import AccountPage
from services.login.breached_passwords import FilterError
from services.login.domain.account import Account
from services.login.domain.rejections import Rejection
from services.login.sign_in.password_policy import SHORTEST_PASSWORD, PasswordPolicy, Weakness
from services.login.sign_in.passwords import HashingTurn, Passwords, prepare_password
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of
from services.login.web.signed_in import SignedInUser, change, require_signed_in, touch

log = structlog.get_logger(__name__)


class PasswordForms:
    """Serves the page and its form."""

    def __init__(self, forms: Forms, page: AccountPage, passwords: Passwords, policy: PasswordPolicy) -> None:
        self._forms = forms
        self._page = page
        self._passwords = passwords
        self._policy = policy

    async def show(self, request: web.Request) -> web.Response:
        """Show the form."""
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits, to_change_password=True)
        await touch(self._forms, user)
        return self._render(request, user)

    async def change(self, request: web.Request) -> web.Response:
        """Change the password."""
        form = await self._forms.read(request)
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits, to_change_password=True)
        await touch(self._forms, user)
        if not user.confirmed:
            return self._page.render(request, user, Rejection.NOT_CONFIRMED)
        account, new = user.account, form.get("new", "")
        browser_digest = digest(self._forms.cookies.browser_token(request).encode())
        turn = HashingTurn(self._forms.contexts.network(request), known=True)
        passwords = account.passwords.of(known=account.knows(browser_digest))
        if passwords.paused_until is not None and passwords.is_paused(user.at):
            return self._render(request, user, page_messages.locked(passwords.paused_until, user.at))
        if not await self._passwords.matches(turn, account.password_hash, form.get("old", "")):
            return await self._reject(request, user, browser_digest)
        if prepare_password(new) == prepare_password(form.get("old", "")):
            return self._render(request, user, change_messages.same_password())
        weakness = self._find_weakness(new, account)
        if weakness is not None:
            return self._render(request, user, change_messages.weak_password(weakness))
        command = user.command(
            ChangePassword,
            old_password_hash=account.password_hash,
            password_hash=await self._passwords.hash(turn, new),
        )
        rejection = await change(self._forms, request, command)
        if rejection is not None:
            return self._page.render(request, user, rejection)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)

    def _find_weakness(self, new: str, account: Account) -> Weakness | None:
        try:
            return self._policy.find_weakness(new, account.name, account.display_name)
        except FilterError as error:
            log.error("no password can be changed", reason=str(error))  # noqa: TRY400 - the reason says it all
            raise UnavailableError from error

    async def _reject(self, request: web.Request, user: SignedInUser, browser_digest: str) -> web.Response:
        """Count the wrong password as at a sign-in, so that an unattended browser allows no guessing."""
        command = FailPassword(
            account_id=user.account.account_id,
            at=now(),
            browser=user.session.browser,
            browser_digest=browser_digest,
        )
        outcome, row = await self._forms.decide(request, command)
        paused_until = row.passwords.of(known=row.knows(browser_digest)).paused_until
        if outcome == Rejection.LOCKED and paused_until is not None:
            return self._render(request, user, page_messages.locked(paused_until, now()))
        return self._render(request, user, change_messages.wrong_old_password())

    def _render(
        self, request: web.Request, user: SignedInUser, message: page_messages.PageMessage | None = None
    ) -> web.Response:
        return self._forms.pages.render(
            request,
            "password",
            status_of(request, message),
            error=message,
            confirmed=user.confirmed,
            reported=user.account.push.reported,
            due=user.account.password_change_due,
            sign_in_name=user.account.name,
            shortest=SHORTEST_PASSWORD,
        )
