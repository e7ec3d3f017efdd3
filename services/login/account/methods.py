"""Adding an authenticator app, and making recovery codes: the pages that show a secret once."""

from typing import Final

from aiohttp import web

from protocol.names import read_name
from protocol.verification_codes import find_step
from schemas.login_messages import AddApp, MakeRecoveryCodes
from services.common.clock import new_id, now
from services.login.account import change_messages
from services.login.account.page import AccountPage
from services.login.codes.authenticator_apps import new_secret, otpauth_uri, qr_code, secret_text
from services.login.codes.checks import CodeChecks
from services.login.codes.recovery_codes import RecoveryCodes
from services.login.sign_in.passwords import HashingTurn
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of
from services.login.web.signed_in import SignedInUser, change, require_signed_in, touch

DEFAULT_NAME: Final = "Authenticator app"
LONGEST_SEALED: Final = 1000


class MethodForms:
    """Serves the pages and forms."""

    def __init__(self, forms: Forms, page: AccountPage, checks: CodeChecks, recovery_codes: RecoveryCodes) -> None:
        self._forms = forms
        self._page = page
        self._checks = checks
        self._recovery_codes = recovery_codes

    async def show_app(self, request: web.Request) -> web.Response:
        """Show a new secret for an authenticator app. Only the page's form keeps it, sealed."""
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        if not user.confirmed:
            raise web.HTTPSeeOther(login_pages.ACCOUNT)
        method_id, secret = new_id(), new_secret()
        sealed = self._checks.seal_app_secret(user.account.account_id, method_id, secret)
        return self._render_app(request, user, method_id, secret, sealed)

    async def add_app(self, request: web.Request) -> web.Response:
        """Add the app, if its first code is right."""
        form = await self._forms.read(request)
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        method_id, sealed = form.get("method_id", ""), form.get("secret", "")[:LONGEST_SEALED]
        secret = self._checks.app_secret(user.account.account_id, method_id, sealed)
        if secret is None:
            raise web.HTTPSeeOther(login_pages.APP)
        name = read_name(form.get("name", "")) or DEFAULT_NAME
        time_step = find_step(secret, form.get("code", ""), now())
        if time_step is None:
            message = change_messages.wrong_first_code()
            return self._render_app(request, user, method_id, secret, sealed, message, name)
        command = user.command(AddApp, method_id=method_id, name=name, sealed_secret=sealed, time_step=time_step)
        rejection = await change(self._forms, request, command)
        if rejection is not None:
            return self._page.render(request, user, rejection)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)

    async def make_recovery_codes(self, request: web.Request) -> web.Response:
        """Make ten new codes and show them once."""
        await self._forms.read(request)
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        if not user.confirmed:
            raise web.HTTPSeeOther(login_pages.ACCOUNT)
        made = await self._recovery_codes.make(HashingTurn(self._forms.contexts.network(request), known=True))
        hashes = {"salt": made.salt, "pepper_id": made.pepper_id, "code_digests": made.digests}
        rejection = await change(self._forms, request, user.command(MakeRecoveryCodes, **hashes))
        if rejection is not None:
            return self._page.render(request, user, rejection)
        return self._forms.pages.render(
            request,
            "recovery_codes",
            codes=made.codes,
            account_name=user.account.full_name,
            made_at=now().isoformat(),
        )

    def _render_app(  # noqa: PLR0913, PLR0917 - what one page shows
        self,
        request: web.Request,
        user: SignedInUser,
        method_id: str,
        secret: bytes,
        sealed: str,
        message: page_messages.PageMessage | None = None,
        name: str = DEFAULT_NAME,
    ) -> web.Response:
        uri = otpauth_uri(secret, issuer=self._forms.pages.names.product, account_name=user.account.full_name)
        return self._forms.pages.render(
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
