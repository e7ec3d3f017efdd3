"""The account's own page: what is known, and what its owner can change at once."""

from http import HTTPStatus
from typing import Any

import yarl
from aiohttp import web
from pydantic import ValidationError

from schemas.base import NAME_CHARACTERS
from schemas.login_commands import SendChallenge
from schemas.login_sessions import (
    AddPhone,
    ChoosePhone,
    Confirm,
    ForgetBrowser,
    RemoveMethod,
    RenameMethod,
    RevokeSession,
    SessionCommand,
)
from services.common.clock import new_id, new_token, now
from services.common.decisions import OK
from services.login.account import change_messages
from services.login.account.history_lines import history_line
from services.login.domain.challenges import challenge_rejection
from services.login.domain.limits import Rejection
from services.login.web import login_pages, page_messages
from services.login.web.cookies import LOGIN, NEXT, Ticket
from services.login.web.forms import Forms
from services.login.web.signed_in import SignedInUser, SignedInUsers


class AccountPage:
    """Serves it for one instance."""

    def __init__(self, desk: Forms, owners: SignedInUsers, login_seconds: int) -> None:
        """Take the parts that it needs.

        Args:
            desk: Takes forms in.
            owners: Knows who is signed in.
            login_seconds: How long a login may take.

        """
        self._desk = desk
        self._owners = owners
        self._login_seconds = login_seconds

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the page and its forms to a router."""
        router.add_get(login_pages.ACCOUNT, self.show)
        router.add_post(f"{login_pages.ACCOUNT}/confirm", self.confirm)
        router.add_post(f"{login_pages.ACCOUNT}/phones", self.add_phone)
        router.add_post(f"{login_pages.ACCOUNT}/methods/choose", self.choose)
        router.add_post(f"{login_pages.ACCOUNT}/methods/rename", self.rename)
        router.add_post(f"{login_pages.ACCOUNT}/methods/remove", self.remove)
        router.add_post(f"{login_pages.ACCOUNT}/sessions/revoke", self.revoke)
        router.add_post(f"{login_pages.ACCOUNT}/browsers/forget", self.forget)

    async def show(self, request: web.Request) -> web.Response:
        """Show the account of who is signed in."""
        owner = await self._owners.of(request)
        told = request.query.get("refused", "")
        return self.render(request, owner, Rejection(told) if told in set(Rejection) else None)

    async def confirm(self, request: web.Request) -> web.Response:
        """Ask for the second factor again: a request to the phone if it may be asked, or a code."""
        form = await self._desk.form(request)
        owner = await self._owners.of(request)
        ticket, login_id = Ticket(owner.account.account_id, new_token()), new_id()
        answer = await self._begin(request, owner, Confirm, ticket, login_id)
        if form.get("next") == login_pages.TO_PASSWORD:
            self._desk.cookies.write(answer, NEXT, login_pages.TO_PASSWORD, self._login_seconds)
        else:
            self._desk.cookies.drop(answer, NEXT)
        if challenge_rejection(owner.account, now(), self._desk.rules) is None:
            challenge = SendChallenge(
                account_id=owner.account.account_id, at=now(), login_id=login_id, challenge_id=login_id
            )
            await self._desk.decide(request, challenge)
        raise answer

    async def add_phone(self, request: web.Request) -> web.Response:
        """Begin to pair a further phone."""
        await self._desk.form(request)
        owner = await self._owners.of(request)
        raise await self._begin(request, owner, AddPhone, Ticket(owner.account.account_id, new_token()), new_id())

    async def choose(self, request: web.Request) -> web.Response:
        """Ask another phone first."""
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
        """Remember a browser no more."""
        return await self._change(request, ForgetBrowser, "remembered_digest")

    def render(self, request: web.Request, owner: SignedInUser, refusal: Rejection | None = None) -> web.Response:
        """Show the account, with why a change was not made."""
        return self._render(request, owner, None if refusal is None else change_messages.change_refused(refusal))

    def _render(
        self, request: web.Request, owner: SignedInUser, message: page_messages.PageMessage | None
    ) -> web.Response:
        account = owner.account
        return self._desk.pages.render(
            request,
            "account",
            HTTPStatus.OK if message is None or request.method == "GET" else HTTPStatus.CONFLICT,
            error=message,
            account_name=account.display_name,
            account=account,
            confirmed=owner.confirmed,
            session=owner.session,
            history=[history_line(each) for each in reversed(account.history)],
            remember=bool(self._desk.rules.remember_lifetime),
            reported=account.push.reported,
            address=page_messages.masked(account.email),
        )

    async def _begin(
        self, request: web.Request, owner: SignedInUser, kind: type[Confirm | AddPhone], ticket: Ticket, login_id: str
    ) -> web.HTTPSeeOther:
        """Begin a login within a session; return the answer that leads to it."""
        browser = self._desk.visits.browser(request)
        command = owner.command(kind, login_id=login_id, login_digest=ticket.digest, browser=browser)
        outcome, _ = await self._desk.decide(request, command)
        if outcome != OK:
            raise web.HTTPSeeOther(yarl.URL(login_pages.ACCOUNT) % {"refused": outcome})
        answer = web.HTTPSeeOther("/")
        self._desk.cookies.write_ticket(answer, LOGIN, ticket, self._login_seconds)
        return answer

    async def _change(self, request: web.Request, kind: type[SessionCommand], *fields: str) -> web.Response:
        form = await self._desk.form(request)
        owner = await self._owners.of(request)
        values: dict[str, Any] = {name: form.get(name, "").strip()[:NAME_CHARACTERS] for name in fields}
        try:
            command = owner.command(kind, **values)
        except ValidationError:
            nameless = "name" in fields and not values["name"]
            return self._render(
                request, owner, change_messages.nameless() if nameless else change_messages.method_gone()
            )
        refusal = await self._owners.change(request, command)
        if refusal is not None:
            return self.render(request, owner, refusal)
        raise web.HTTPSeeOther(login_pages.ACCOUNT)
