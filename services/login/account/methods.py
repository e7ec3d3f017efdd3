"""The pages that show a secret once: an authenticator app's, and the recovery codes."""

from typing import Final

from aiohttp import web

from protocol.verification_codes import find_step
from schemas.base import NAME_CHARACTERS
from schemas.login_sessions import AddApp, MakeRecoveryCodes
from services.common.clock import new_id, now
from services.login.account import change_messages
from services.login.account.page import AccountPage
from services.login.codes.authenticator_apps import new_secret, otpauth_uri, qr_code, secret_text
from services.login.codes.checks import CodeChecks
from services.login.codes.recovery_codes import RecoveryCodes
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of
from services.login.web.signed_in import SignedInUser, SignedInUsers

APP: Final = f"{login_pages.ACCOUNT}/app"
RECOVERY_CODES: Final = f"{login_pages.ACCOUNT}/recovery-codes"
DEFAULT_NAME: Final = "Authenticator app"
LONGEST_SEALED: Final = 1000
LONGEST_CODE: Final = 60


class AddingMethods:
    """Serves them for one instance."""

    def __init__(
        self, desk: Forms, owners: SignedInUsers, page: AccountPage, checks: CodeChecks, recovery_codes: RecoveryCodes
    ) -> None:
        """Take the parts that they need.

        Args:
            desk: Takes forms in.
            owners: Knows who is signed in.
            page: The account's page, which shows refusals.
            checks: Seals and opens the secrets of apps.
            recovery_codes: Makes recovery codes.

        """
        self._desk = desk
        self._owners = owners
        self._page = page
        self._checks = checks
        self._recovery_codes = recovery_codes

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the pages and forms to a router."""
        router.add_get(APP, self.show_app)
        router.add_post(APP, self.add_app)
        router.add_post(RECOVERY_CODES, self.make_recovery_codes)

    async def show_app(self, request: web.Request) -> web.Response:
        """Show a new secret for an authenticator app. It is kept nowhere but, sealed, in the page's own form."""
        owner = await self._owners.of(request)
        if not owner.confirmed:
            raise web.HTTPSeeOther(login_pages.ACCOUNT)
        method_id, secret = new_id(), new_secret()
        sealed = self._checks.seal_app_secret(owner.account.account_id, method_id, secret)
        return self._render_app(request, owner, method_id, secret, sealed)

    async def add_app(self, request: web.Request) -> web.Response:
        """Take the app in, if its first code is right."""
        form = await self._desk.form(request)
        owner = await self._owners.of(request)
        method_id, sealed = form.get("method_id", ""), form.get("secret", "")[:LONGEST_SEALED]
        secret = self._checks.app_secret(owner.account.account_id, method_id, sealed)
        if secret is None:
            raise web.HTTPSeeOther(APP)
        name = form.get("name", "").strip()[:NAME_CHARACTERS] or DEFAULT_NAME
        time_step = find_step(secret, form.get("code", "")[:LONGEST_CODE], now())
        if time_step is None:
            message = change_messages.wrong_first_code()
            return self._render_app(request, owner, method_id, secret, sealed, message, name)
        command = owner.command(AddApp, method_id=method_id, name=name, sealed_secret=sealed, time_step=time_step)
        refusal = await self._owners.change(request, command)
        if refusal is not None:
            return self._page.render(request, owner, refusal)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)

    async def make_recovery_codes(self, request: web.Request) -> web.Response:
        """Make ten new codes and show them, this once."""
        await self._desk.form(request)
        owner = await self._owners.of(request)
        if not owner.confirmed:
            raise web.HTTPSeeOther(login_pages.ACCOUNT)
        made = await self._recovery_codes.make()
        command = owner.command(MakeRecoveryCodes, salt=made.salt, code_digests=made.digests)
        refusal = await self._owners.change(request, command)
        if refusal is not None:
            return self._page.render(request, owner, refusal)
        return self._desk.pages.render(
            request,
            "recovery_codes",
            codes=made.codes,
            account_name=owner.account.display_name,
            made_at=now().isoformat(),
        )

    def _render_app(  # noqa: PLR0913, PLR0917 - what one page shows
        self,
        request: web.Request,
        owner: SignedInUser,
        method_id: str,
        secret: bytes,
        sealed: str,
        message: page_messages.PageMessage | None = None,
        name: str = DEFAULT_NAME,
    ) -> web.Response:
        uri = otpauth_uri(secret, issuer=self._desk.pages.names.product, account_name=owner.account.display_name)
        return self._desk.pages.render(
            request,
            "app",
            status_of(request, message),
            error=message,
            qr_code=qr_code(uri),
            uri=uri,
            secret_text=secret_text(secret),
            method_id=method_id,
            sealed=sealed,
            name=name,
        )
