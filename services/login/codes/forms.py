"""The page for a verification code instead of the phone's answer."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from schemas.login_messages import AccountCommand, FailCode, UseCode, UseRecoveryCode
from services.common.decisions import OK
from services.login.codes.checks import CodeChecks
from services.login.domain.account import Account
from services.login.domain.login import Login, LoginState
from services.login.domain.rejections import Rejection
from services.login.sign_in.passwords import HashingTurn
from services.login.web import login_pages, page_messages
from services.login.web.context import require_login_at
from services.login.web.forms import Forms
from services.login.web.pages import status_of


@dataclass(frozen=True, slots=True)
class RejectedCode:
    """A code that was rejected.

    Attributes:
        rejection: Why; None if none was entered.
        looks_printed: True if it looks like a recovery code.
        counts_as_recovery: True if it counts among the recovery codes.

    """

    rejection: Rejection | None = None
    looks_printed: bool = False
    counts_as_recovery: bool = False


NOTHING_REJECTED: Final = RejectedCode()


class CodeForms:
    """Serves the page and its form."""

    def __init__(self, forms: Forms, checks: CodeChecks) -> None:
        self._forms = forms
        self._checks = checks

    async def show(self, request: web.Request) -> web.Response:
        """Show the page."""
        at_code = require_login_at(self._forms.contexts.load(request), login_pages.CODE)
        return self._render(request, at_code.account, at_code.login, at_code.at)

    async def enter(self, request: web.Request) -> web.Response:
        """Check a code; the account's owner decides whether it counts."""
        form = await self._forms.read(request)
        at_code = require_login_at(self._forms.contexts.load(request), login_pages.CODE)
        account, login, at = at_code.account, at_code.login, at_code.at
        typed = form.get("code", "")
        command = await self._command(request, account, login, typed, at)
        outcome, row = await self._forms.decide(request, command)
        login_now = row.login(login.login_id) or login
        if outcome != OK and not login_now.over:
            rejected = RejectedCode(
                Rejection(outcome),
                looks_printed=any(each.isalpha() for each in typed),
                counts_as_recovery=isinstance(command, UseRecoveryCode),
            )
            return self._render(request, row, login_now, at, rejected)
        raise web.HTTPSeeOther(self._forms.contexts.load(request).home)

    def _render(
        self,
        request: web.Request,
        account: Account,
        login: Login,
        at: datetime,
        rejected: RejectedCode = NOTHING_REJECTED,
    ) -> web.Response:
        """Render the page, with the message for a rejected code."""
        known, limits = account.knows_browser_of(login), self._forms.policy.limits
        codes, recovery = account.codes.of(known=known), account.recovery_codes.of(known=known)
        printable = account.recovery is not None
        # The form takes both kinds of codes, so it is there while either is taken.
        kinds = [(codes, limits.codes), *([(recovery, limits.recovery_codes)] if printable else [])]
        closed = all(throttle.is_closed(limit) for throttle, limit in kinds)
        paused = not closed and all(throttle.is_closed(limit) or throttle.is_paused(at) for throttle, limit in kinds)
        rejected_by, rejection = recovery if rejected.counts_as_recovery else codes, rejected.rejection
        if rejection is not None and rejected_by.is_paused(at):
            rejection = Rejection.CODES_PAUSED
        until = min((each.paused_until for each, _ in kinds if each.is_paused(at) and each.paused_until), default=None)
        message = page_messages.code_rejected(
            Rejection.CODES_CLOSED if closed else Rejection.CODES_PAUSED if paused else rejection,
            until if paused else rejected_by.paused_until,
            at,
            printed=rejected.looks_printed and printable,
        )
        return self._forms.pages.render(
            request,
            "code",
            status_of(request, message),
            error=message,
            paused=paused or closed,
            locked=account.push.reported is not None,
            waiting=login.state is LoginState.CHALLENGED,
            kind=login.kind,
            **_sources(account),
        )

    async def _command(
        self, request: web.Request, account: Account, login: Login, typed: str, at: datetime
    ) -> AccountCommand:
        names: dict[str, Any] = {"account_id": account.account_id, "at": at, "login_id": login.login_id}
        found = self._checks.find(account, typed, at)
        if found is not None:
            return UseCode(method_id=found.method_id, time_step=found.time_step, **names)
        known = account.knows_browser_of(login)
        turn = HashingTurn(self._forms.contexts.network(request), known=known)
        code_digest = await self._checks.recovery_digest(turn, account, typed)
        return FailCode(**names) if code_digest is None else UseRecoveryCode(code_digest=code_digest, **names)


def _sources(account: Account) -> dict[str, Any]:
    """Return the sources of the account's codes, for the template."""
    return {
        "phones": [each.name for each in account.devices if each.agreement_key is not None],
        "apps": [each.name for each in account.apps],
        "recovery_left": account.recovery.left if account.recovery is not None else 0,
        "has_phone": bool(account.devices),
    }
