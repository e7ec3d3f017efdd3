"""The account page, with the changes that need no page of their own."""

from http import HTTPStatus
from typing import Any

import yarl
from aiohttp import hdrs, web
from pydantic import ValidationError

from protocol.names import read_name
from schemas.login_messages import (
    AddPhone,
    ChoosePhone,
    Confirm,
    ForgetBrowser,
    RemoveMethod,
    RenameMethod,
    RevokeSession,
    SendChallenge,
    SessionCommand,
)
from services.common.clock import new_id, new_token, now
from services.common.decisions import OK
from services.login.account import change_messages
from services.login.account.history_lines import history_line
from services.login.domain.challenges import challenge_rejection
from services.login.domain.rejections import Rejection
from services.login.web import login_pages, page_messages
from services.login.web.cookies import LOGIN, NEXT, Ticket
from services.login.web.forms import Forms
from services.login.web.signed_in import SignedInUser, change, require_signed_in, touch


class AccountPage:
    """Serves the page and its forms."""

    def __init__(self, forms: Forms) -> None:
        self._forms = forms

    async def show(self, request: web.Request) -> web.Response:
        """Show the signed-in user's account."""
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        rejected = request.query.get("refused", "")
        return self.render(request, user, Rejection(rejected) if rejected in set(Rejection) else None)

    async def confirm(self, request: web.Request) -> web.Response:
        """Begin a confirmation: challenge the phone if possible; a code works otherwise."""
        form = await self._forms.read(request)
        limits = self._forms.policy.limits
        user = require_signed_in(self._forms.contexts.load(request), limits, to_change_password=True)
        await touch(self._forms, user)
        account_id = user.account.account_id
        ticket, login_id = Ticket(account_id, new_token()), new_id()
        redirect = await self._begin(request, user, Confirm, ticket, login_id)
        if form.get("next") == login_pages.TO_PASSWORD:
            self._forms.cookies.write(redirect, NEXT, login_pages.TO_PASSWORD, limits.login_seconds)
        else:
            self._forms.cookies.drop(redirect, NEXT)
        if challenge_rejection(user.account, now(), limits) is None:
            challenge = SendChallenge(account_id=account_id, at=now(), login_id=login_id, challenge_id=login_id)
            await self._forms.decide(request, challenge)
        raise redirect

    async def add_phone(self, request: web.Request) -> web.Response:
        """Begin to pair another phone."""
        await self._forms.read(request)
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        raise await self._begin(request, user, AddPhone, Ticket(user.account.account_id, new_token()), new_id())

    async def choose(self, request: web.Request) -> web.Response:
        """Challenge another phone first."""
        return await self._change(request, ChoosePhone, "method_id")

    async def rename(self, request: web.Request) -> web.Response:
        """Give a phone or an app another name."""
        return await self._change(request, RenameMethod, "method_id", "name")

    async def remove(self, request: web.Request) -> web.Response:
        """Remove a phone or an app."""
        return await self._change(request, RemoveMethod, "method_id")

    async def revoke(self, request: web.Request) -> web.Response:
        """Sign another browser out."""
        return await self._change(request, RevokeSession, "revoked_digest")

    async def forget(self, request: web.Request) -> web.Response:
        """Forget a remembered browser."""
        return await self._change(request, ForgetBrowser, "remembered_digest")

    def render(self, request: web.Request, user: SignedInUser, rejection: Rejection | None = None) -> web.Response:
        """Render the account page, with the message for a rejection."""
        return self._render(request, user, None if rejection is None else change_messages.change_rejected(rejection))

    def _render(
        self, request: web.Request, user: SignedInUser, message: page_messages.PageMessage | None
    ) -> web.Response:
        account = user.account
        return self._forms.pages.render(
            request,
            "account",
            HTTPStatus.OK if message is None or request.method == hdrs.METH_GET else HTTPStatus.CONFLICT,
            error=message,
            account_name=account.full_name,
            account=account,
            confirmed=user.confirmed,
            session=user.session,
            history=[history_line(each) for each in reversed(self._forms.history(account))],
            remember=bool(self._forms.policy.limits.remember_lifetime),
            address=page_messages.masked(account.email),
        )

    async def _begin(
        self, request: web.Request, user: SignedInUser, kind: type[Confirm | AddPhone], ticket: Ticket, login_id: str
    ) -> web.HTTPSeeOther:
        """Begin a login within a session; return the redirect to its page."""
        browser = self._forms.contexts.browser(request)
        command = user.command(kind, login_id=login_id, login_digest=ticket.digest, browser=browser)
        outcome, _ = await self._forms.decide(request, command)
        if outcome != OK:
            raise web.HTTPSeeOther(yarl.URL(login_pages.ACCOUNT) % {"refused": outcome})
        redirect = web.HTTPSeeOther("/")
        self._forms.cookies.write_ticket(redirect, LOGIN, ticket, self._forms.policy.limits.login_seconds)
        return redirect

    async def _change(self, request: web.Request, kind: type[SessionCommand], *fields: str) -> web.Response:
        form = await self._forms.read(request)
        user = require_signed_in(self._forms.contexts.load(request), self._forms.policy.limits)
        await touch(self._forms, user)
        values: dict[str, Any] = {field: form.get(field, "") for field in fields}
        if "name" in values:
            values["name"] = read_name(values["name"])
        try:
            command = user.command(kind, **values)
        except ValidationError:
            unnamed = "name" in values and values["name"] is None
            return self._render(request, user, change_messages.bad_name() if unnamed else change_messages.method_gone())
        rejection = await change(self._forms, request, command)
        if rejection is not None:
            return self.render(request, user, rejection)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)
