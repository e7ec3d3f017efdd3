"""Sign-in: the password, the challenge to the phone, cancelling, completing, signing out."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

from aiohttp import web

from protocol.encoding import digest
from schemas.login_messages import CancelLogin, EndSession, FailPassword, SendChallenge, SignIn
from services.common.clock import new_id, new_token, now
from services.common.decisions import OK
from services.login.directory import Directory
from services.login.domain.account import Account
from services.login.domain.login import EndReason, LoginKind
from services.login.domain.rejections import Rejection
from services.login.sign_in.guess_counts import GuessCounts
from services.login.sign_in.passwords import HashingTurn, Passwords
from services.login.web import login_pages, page_messages
from services.login.web.context import require_login_at
from services.login.web.cookies import LOGIN, NEXT, REMEMBERED, SESSION, Ticket
from services.login.web.forms import Forms
from services.login.web.read_your_writes import remember_version
from services.login.web.receipts import Receipts, waiting_details

FIRST_PHONE: Final = ""
"""The form's value where no phone is chosen."""


class SignInForms:
    """Serves the pages and forms of sign-in."""

    def __init__(
        self, forms: Forms, directory: Directory, passwords: Passwords, guesses: GuessCounts, receipts: Receipts
    ) -> None:
        self._forms = forms
        self._directory = directory
        self._passwords = passwords
        self._guesses = guesses
        self._receipts = receipts

    async def home(self, request: web.Request) -> web.Response:
        """Redirect a browser to the page that it belongs on."""
        raise web.HTTPSeeOther(self._forms.contexts.load(request).home)

    async def show(self, request: web.Request) -> web.Response:
        """Show the sign-in page, or redirect to the login in progress."""
        context = self._forms.contexts.load(request)
        if context.in_progress or context.session is not None:
            raise web.HTTPSeeOther(context.home)
        return self._forms.pages.render(request, "sign_in", name="", error=None, info=None)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check the password, and start a login."""
        form = await self._forms.read(request)
        name, network = form.get("name", ""), self._forms.contexts.network(request)
        account, context = self._directory.find(self._directory.digest(name)), self._forms.contexts.load(request)
        browser_digest, typed = digest(self._forms.cookies.browser_token(request).encode()), form.get("password", "")
        known = account is not None and account.knows(browser_digest)
        paused_until = None if known else await self._guesses.try_from(network)
        if paused_until is not None:
            message = page_messages.address_paused(paused_until, now())
            return self._render(request, name, message, HTTPStatus.TOO_MANY_REQUESTS)
        turn = HashingTurn(network, known=known)
        if (
            not await self._passwords.matches(turn, account.password_hash if account else None, typed)
            or account is None
        ):
            return await self._reject_password(request, account, name, browser_digest)
        if context.in_progress and context.account is not None and context.account.account_id == account.account_id:
            raise web.HTTPSeeOther(context.home)
        ticket = Ticket(account.account_id, new_token())
        command = self._command(request, account, ticket, browser_digest, remember="remember" in form)
        if not account.passwords.of(known=known).is_paused(now()):  # a further hash would tell that it was right
            renewed = await self._passwords.renewed(turn, account.password_hash, typed)
            command = command.model_copy(update={"renewed_hash": renewed})
        outcome, row = await self._forms.decide_for_stranger(command)
        if outcome != OK:
            return self._render_rejected(request, name, outcome, row, known=row.knows(browser_digest))
        remember_version(request, row)
        if not known:
            await self._guesses.refund(network)
        limits = self._forms.policy.limits
        found = login_pages.current_login(row, ticket.digest, now(), limits)
        redirect = web.HTTPSeeOther(login_pages.pages_of(*found, now())[0] if found else login_pages.SIGN_IN)
        self._forms.cookies.write_ticket(redirect, LOGIN, ticket, limits.login_seconds)
        raise redirect

    async def show_send(self, request: web.Request) -> web.Response:
        """Show the page that sends the challenge, or says why none can be sent."""
        at_send = require_login_at(self._forms.contexts.load(request), login_pages.SEND)
        account, login, at = at_send.account, at_send.login, at_send.at
        other = account.open_challenge()
        until = other.challenge.expires_at if other is not None and other.challenge is not None else at
        paused_until = account.push.next_at(at, self._forms.policy.limits)
        return self._forms.pages.render(
            request,
            "send",
            events_detail="" if other is None else "&other",
            other_seconds_left=page_messages.seconds_until(until, at),
            paused_seconds_left=0 if paused_until is None else page_messages.seconds_until(paused_until, at),
            locked=account.push.reported is not None,
            phones=account.devices,
            kind=login.kind,
        )

    async def send_challenge(self, request: web.Request) -> web.Response:
        """Send the challenge to the chosen phone, or to the first."""
        form = await self._forms.read(request)
        context = self._forms.contexts.load(request)
        if context.account is not None and context.login is not None and context.in_progress:
            chosen = form.get("phone", FIRST_PHONE)
            command = SendChallenge(
                account_id=context.account.account_id,
                at=now(),
                login_id=context.login.login_id,
                challenge_id=new_id(),
                device_id=None if chosen == FIRST_PHONE else _device_id(context.account, chosen),
            )
            await self._forms.decide(request, command)
        raise web.HTTPSeeOther(self._forms.contexts.load(request).home)

    async def show_wait(self, request: web.Request) -> web.Response:
        """Show the page that waits for the phone's answer."""
        at_wait = require_login_at(self._forms.contexts.load(request), login_pages.WAIT)
        challenge = at_wait.login.challenge
        number = None
        if challenge is not None and challenge.number_matching:
            number = self._forms.policy.signer.number_of(challenge.challenge_id)
        details = waiting_details(at_wait.login, at_wait.at, self._receipts)
        return self._forms.pages.render(request, "wait", number=number, **details)

    async def show_ended(self, request: web.Request) -> web.Response:
        """Show how a login ended."""
        login = require_login_at(self._forms.contexts.load(request), login_pages.ENDED).login
        reason = login.end_reason or EndReason.TIMED_OUT
        message = page_messages.ended(reason, login.kind, self._forms.pages.names)
        return self._forms.pages.render(request, "ended", message=message, reason=reason, kind=login.kind)

    async def complete(self, request: web.Request) -> web.Response:
        """Turn an approved login into its session; a repeated request gets the same session."""
        approved = require_login_at(self._forms.contexts.load(request), login_pages.COMPLETE)
        account, login = approved.account, approved.login
        due = account.password_change_due and login.kind is not LoginKind.ADD_PHONE
        to_password = request.cookies.get(NEXT) == login_pages.TO_PASSWORD and login.kind is LoginKind.CONFIRM
        redirect = web.HTTPSeeOther(login_pages.PASSWORD if due or to_password else login_pages.ACCOUNT)
        cookies = self._forms.cookies
        ticket = cookies.read(request, LOGIN)
        cookies.drop(redirect, LOGIN)
        if ticket is not None and login.kind is LoginKind.SIGN_IN:
            session_seconds = self._forms.policy.limits.session_seconds
            cookies.write_ticket(redirect, SESSION, cookies.session_ticket(ticket), session_seconds)
            remembered = cookies.remembered_ticket(ticket)
            browser = next((each for each in account.remembered if each.digest == remembered.digest), None)
            if browser is not None:
                seconds = max(1, int((browser.expires_at - approved.at).total_seconds()))
                cookies.write_ticket(redirect, REMEMBERED, remembered, seconds)
        raise redirect

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel the login."""
        await self._forms.read(request)
        context = self._forms.contexts.load(request)
        if context.account is not None and context.login is not None:
            command = CancelLogin(account_id=context.account.account_id, at=now(), login_id=context.login.login_id)
            await self._forms.decide(request, command)
        raise web.HTTPSeeOther(self._forms.contexts.load(request).home)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session."""
        await self._forms.read(request)
        context = self._forms.contexts.load(request)
        if context.session_account is not None and context.session is not None:
            command = EndSession(
                account_id=context.session_account.account_id,
                at=now(),
                session_digest=context.session.session_digest,
            )
            await self._forms.decide(request, command)
        redirect = web.HTTPSeeOther(login_pages.SIGN_IN)
        self._forms.cookies.drop(redirect, SESSION)
        raise redirect

    def _command(
        self, request: web.Request, account: Account, ticket: Ticket, browser_digest: str, *, remember: bool
    ) -> SignIn:
        cookies = self._forms.cookies
        remembered = cookies.read(request, REMEMBERED)
        wants_remembering = remember and bool(self._forms.policy.limits.remember_lifetime)
        return SignIn(
            account_id=account.account_id,
            at=now(),
            login_id=new_id(),
            login_digest=ticket.digest,
            session_digest=cookies.session_ticket(ticket).digest,
            password_hash=account.password_hash,
            browser=self._forms.contexts.browser(request),
            browser_digest=browser_digest,
            remembered_digest=remembered.digest if remembered else None,
            remember_digest=cookies.remembered_ticket(ticket).digest if wants_remembering else None,
        )

    def _render_rejected(
        self, request: web.Request, name: str, outcome: str, row: Account, *, known: bool
    ) -> web.Response:
        """Render why a right password starts no login; while it is paused or closed, as if it were wrong."""
        if outcome == Rejection.LOCKED:
            return self._render_locked(request, name, row.passwords.of(known=known).paused_until)
        if outcome == Rejection.CLOSED:
            return self._render(request, name, page_messages.wrong_password(), HTTPStatus.UNAUTHORIZED)
        if outcome == Rejection.TOO_MANY_SIGN_INS:
            message = page_messages.too_many_sign_ins(row.sign_ins.of(known=known).paused_until or now(), now())
            return self._render(request, name, message, HTTPStatus.TOO_MANY_REQUESTS)
        return self._render(request, name, page_messages.password_changed(), HTTPStatus.UNAUTHORIZED)

    async def _reject_password(
        self, request: web.Request, account: Account | None, name: str, browser_digest: str
    ) -> web.Response:
        """Count a wrong password. A name without an account takes as long and gets the same response."""
        outcome, paused_until = await self._count(request, account, name, browser_digest)
        if outcome == Rejection.LOCKED:
            return self._render_locked(request, name, paused_until)
        return self._render(request, name, page_messages.wrong_password(), HTTPStatus.UNAUTHORIZED)

    async def _count(
        self, request: web.Request, account: Account | None, name: str, browser_digest: str
    ) -> tuple[str, datetime | None]:
        if account is None:
            return await self._guesses.count_name(self._directory.digest(name))
        command = FailPassword(
            account_id=account.account_id,
            at=now(),
            browser=self._forms.contexts.browser(request),
            browser_digest=browser_digest,
        )
        outcome, row = await self._forms.decide_for_stranger(command)
        return outcome, row.passwords.of(known=row.knows(browser_digest)).paused_until

    def _render_locked(self, request: web.Request, name: str, until: datetime | None) -> web.Response:
        at = now()
        return self._render(request, name, page_messages.locked(until or at, at), HTTPStatus.TOO_MANY_REQUESTS)

    def _render(
        self, request: web.Request, name: str, error: page_messages.PageMessage, status: HTTPStatus
    ) -> web.Response:
        return self._forms.pages.render(request, "sign_in", status, name=name, error=error, info=None)


def _device_id(account: Account, method_id: str) -> str:
    """Return the id of the chosen phone; for an unknown one, an id that the account's owner rejects."""
    return next((each.device_id for each in account.devices if each.method_id == method_id), digest(method_id.encode()))
