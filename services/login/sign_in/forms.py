"""The forms of a sign-in: the password, the request to the phone, giving up, signing out."""

import asyncio
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from protocol.encoding import digest
from schemas.base import Browser
from schemas.login_commands import CancelLogin, FailPassword, SendChallenge, SignIn
from schemas.login_sessions import EndSession
from services.common.clock import new_id, new_token, now
from services.common.decisions import OK
from services.login.domain.account import Account
from services.login.domain.limits import Rejection
from services.login.names import account_id_of
from services.login.sign_in.guess_counts import GuessCounts
from services.login.sign_in.passwords import Passwords
from services.login.web import login_pages, page_messages
from services.login.web.cookies import LOGIN, REMEMBERED, SESSION, Ticket
from services.login.web.forms import Forms


class SignInForms:
    """Takes them for one instance."""

    def __init__(self, desk: Forms, passwords: Passwords, guesses: GuessCounts, login_seconds: int) -> None:
        """Take the parts that they need.

        Args:
            desk: Takes forms in.
            passwords: Checks passwords.
            guesses: Counts the wrong ones that no account counts.
            login_seconds: How long a login may take.

        """
        self._desk = desk
        self._passwords = passwords
        self._guesses = guesses
        self._login_seconds = login_seconds

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what is posted to a router."""
        router.add_post(login_pages.SIGN_IN, self.sign_in)
        router.add_post("/challenge", self.challenge)
        router.add_post("/cancel", self.cancel)
        router.add_post("/sign-out", self.sign_out)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check the password, and begin a login."""
        form = await self._desk.form(request)
        name, browser = form.get("name", ""), self._desk.visits.browser(request)
        paused_until = self._guesses.address_paused_until(browser.address, now())
        if paused_until is not None:
            message = page_messages.address_paused(paused_until, now())
            return self._render_sign_in(request, name, message, HTTPStatus.TOO_MANY_REQUESTS)
        account = self._desk.account(account_id_of(name))
        right = await self._passwords.matches(account.password_hash if account else None, form.get("password", ""))
        if account is None or not right:
            return await self._refuse_password(request, account, name, browser)
        visit = self._desk.visits.of(request)
        if visit.under_way and visit.account is not None and visit.account.account_id == account.account_id:
            raise web.HTTPSeeOther(visit.home)
        ticket = Ticket(account.account_id, new_token())
        command = self._command(request, account, ticket, browser, remember="remember" in form)
        outcome, row = await self._desk.decide(request, command)
        if outcome == Rejection.LOCKED:
            return self._render_locked(request, name, row.locked_until)
        if outcome != OK:
            return self._render_sign_in(request, name, page_messages.password_changed(), HTTPStatus.UNAUTHORIZED)
        found = login_pages.current_login(row, ticket.digest, now())
        answer = web.HTTPSeeOther(login_pages.pages_of(*found, now())[0] if found else login_pages.SIGN_IN)
        self._desk.cookies.write_ticket(answer, LOGIN, ticket, self._login_seconds)
        raise answer

    async def challenge(self, request: web.Request) -> web.Response:
        """Send the authentication request to the phone."""
        form = await self._desk.form(request)
        visit = self._desk.visits.of(request)
        if visit.account is not None and visit.login is not None and visit.under_way:
            device = visit.account.method(form.get("phone", ""))
            await self._desk.decide(
                request,
                SendChallenge(
                    account_id=visit.account.account_id,
                    at=now(),
                    login_id=visit.login.login_id,
                    challenge_id=new_id(),
                    device_id=getattr(device, "device_id", None),
                ),
            )
        raise web.HTTPSeeOther(self._desk.visits.of(request).home)

    async def cancel(self, request: web.Request) -> web.Response:
        """Give the login up."""
        await self._desk.form(request)
        visit = self._desk.visits.of(request)
        if visit.account is not None and visit.login is not None:
            command = CancelLogin(account_id=visit.account.account_id, at=now(), login_id=visit.login.login_id)
            await self._desk.decide(request, command)
        raise web.HTTPSeeOther(self._desk.visits.of(request).home)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session."""
        await self._desk.form(request)
        visit = self._desk.visits.of(request)
        if visit.session_account is not None and visit.session is not None:
            session_digest = visit.session.session_digest
            command = EndSession(account_id=visit.session_account.account_id, at=now(), session_digest=session_digest)
            await self._desk.decide(request, command)
        answer = web.HTTPSeeOther(login_pages.SIGN_IN)
        self._desk.cookies.drop(answer, SESSION)
        raise answer

    def _command(
        self, request: web.Request, account: Account, ticket: Ticket, browser: Browser, *, remember: bool
    ) -> SignIn:
        cookies = self._desk.cookies
        remembered = cookies.read(request, REMEMBERED)
        wished = remember and bool(self._desk.rules.remember_lifetime)
        return SignIn(
            account_id=account.account_id,
            at=now(),
            login_id=new_id(),
            login_digest=ticket.digest,
            session_digest=cookies.session_ticket(ticket).digest,
            password_hash=account.password_hash,
            browser=browser,
            browser_digest=digest(cookies.browser_token(request).encode()),
            remembered_digest=remembered.digest if remembered else None,
            remember_digest=cookies.remembered_ticket(ticket).digest if wished else None,
        )

    async def _refuse_password(
        self, request: web.Request, account: Account | None, name: str, browser: Browser
    ) -> web.Response:
        """Count a wrong password, and say so; a name that nobody has takes as long and is told the same."""
        (outcome, locked_until), _ = await asyncio.gather(
            self._count(request, account, name, browser), self._guesses.count_address(browser.address)
        )
        if outcome == Rejection.LOCKED:
            return self._render_locked(request, name, locked_until)
        return self._render_sign_in(request, name, page_messages.wrong_password(), HTTPStatus.UNAUTHORIZED)

    async def _count(
        self, request: web.Request, account: Account | None, name: str, browser: Browser
    ) -> tuple[str, datetime | None]:
        if account is None:
            return await self._guesses.count_name(account_id_of(name) or name)
        command = FailPassword(account_id=account.account_id, at=now(), browser=browser)
        outcome, row = await self._desk.decide(request, command)
        return outcome, row.locked_until

    def _render_locked(self, request: web.Request, name: str, until: datetime | None) -> web.Response:
        at = now()
        return self._render_sign_in(request, name, page_messages.locked(until or at, at), HTTPStatus.TOO_MANY_REQUESTS)

    def _render_sign_in(
        self, request: web.Request, name: str, error: page_messages.PageMessage, status: int
    ) -> web.Response:
        return self._desk.pages.render(request, "sign_in", status, name=name, error=error, info=None)
