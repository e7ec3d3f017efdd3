"""The page where a login takes a verification code instead of the phone's answer."""

from datetime import datetime
from typing import Any

from aiohttp import web

from schemas.login_commands import AccountCommand, FailCode, UseCode, UseRecoveryCode
from services.common.decisions import OK
from services.login.codes.checks import CodeChecks
from services.login.domain.account import Account
from services.login.domain.codes import codes_paused
from services.login.domain.limits import Rejection
from services.login.domain.login import Login, LoginState
from services.login.web import login_pages, page_messages
from services.login.web.forms import Forms
from services.login.web.pages import status_of


class CodeForm:
    """Takes codes for one instance."""

    def __init__(self, desk: Forms, checks: CodeChecks) -> None:
        """Take the parts that it needs.

        Args:
            desk: Takes forms in.
            checks: Checks codes.

        """
        self._desk = desk
        self._checks = checks

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what is posted to a router."""
        router.add_post(login_pages.CODE, self.enter)

    async def enter(self, request: web.Request) -> web.Response:
        """Check a code; whether it counts is for the account's owner to decide."""
        form = await self._desk.form(request)
        step = self._desk.visits.step(request, login_pages.CODE)
        account, login, at = step.account, step.login, step.at
        command = await self._command(account, login, form.get("code", ""), at)
        outcome, row = await self._desk.decide(request, command)
        if outcome != OK and outcome in set(Rejection):
            login_now = row.login(login.login_id) or login
            if not login_now.over:
                printed = not "".join(form.get("code", "").split()).isdigit()
                return self.render(request, row, login_now, at, Rejection(outcome), printed=printed)
        raise web.HTTPSeeOther(self._desk.visits.of(request).home)

    def render(  # noqa: PLR0913 - where the login stands, and what was entered
        self,
        request: web.Request,
        account: Account,
        login: Login,
        at: datetime,
        refusal: Rejection | None = None,
        *,
        printed: bool = False,
    ) -> web.Response:
        """Show the page, with what became of the code that was entered, perhaps one of a printed list."""
        paused = codes_paused(account, at)
        message = page_messages.code_refused(
            Rejection.CODES_PAUSED if paused else refusal,
            account.codes_paused_until,
            at,
            printed=printed and account.recovery is not None,
        )
        return self._desk.pages.render(
            request,
            "code",
            status_of(request, message),
            error=message,
            paused=paused,
            locked=account.push.reported is not None,
            waiting=login.state is LoginState.CHALLENGED,
            kind=login.kind,
            **self._sources(account),
        )

    async def _command(self, account: Account, login: Login, typed: str, at: datetime) -> AccountCommand:
        names: dict[str, Any] = {"account_id": account.account_id, "at": at, "login_id": login.login_id}
        found = self._checks.find(account, typed, at)
        if found is not None:
            return UseCode(method_id=found.method_id, time_step=found.time_step, **names)
        code_digest = await self._checks.recovery_digest(account, typed)
        return FailCode(**names) if code_digest is None else UseRecoveryCode(code_digest=code_digest, **names)

    def _sources(self, account: Account) -> dict[str, Any]:
        """Return where the account's codes come from."""
        return {
            "phones": [each.name for each in account.devices if each.agreement_key is not None],
            "apps": [each.name for each in account.apps],
            "recovery_left": account.recovery.left if account.recovery is not None else 0,
            "has_phone": bool(account.devices),
        }
