"""What browsers post: each form is checked, made a command, and answered once the account's owner has decided."""

from datetime import datetime
from typing import Final

from aiohttp import web

from protocol.phrases import WORDS, phrase_digest, read_phrase, unknown_words
from schemas.login_commands import AccountCommand, CancelLogin, FailPassword, SendPrompt, SignIn, StartPairing
from schemas.login_sessions import EndSession
from services.common.clock import new_id, new_token, now
from services.common.decisions import OK
from services.common.publisher import Publisher, UnavailableError
from services.common.views import View
from services.login import messages, steps
from services.login.catch_up import note
from services.login.cookies import LOGIN, SESSION, Cookies, Ticket
from services.login.domain.logins import Login
from services.login.domain.rows import Account
from services.login.domain.rules import Refused
from services.login.names import account_id_of
from services.login.pages import Pages
from services.login.passwords import Passwords
from services.login.visits import Visits

UNAUTHORIZED: Final = 401
TOO_MANY: Final = 429
UNPROCESSABLE: Final = 422


class Forms:
    """Takes the forms of one instance."""

    def __init__(  # noqa: PLR0913 - the parts of one web side
        self,
        *,
        pages: Pages,
        visits: Visits,
        cookies: Cookies,
        accounts: View[Account],
        publisher: Publisher,
        passwords: Passwords,
        phrase_key: bytes,
        login_seconds: int,
    ) -> None:
        """Take the parts that they need."""
        self._pages = pages
        self._visits = visits
        self._cookies = cookies
        self._accounts = accounts
        self._publisher = publisher
        self._passwords = passwords
        self._phrase_key = phrase_key
        self._login_seconds = login_seconds

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add what is posted to a router."""
        router.add_post(steps.SIGN_IN, self.sign_in)
        router.add_post(steps.PAIR, self.pair)
        router.add_post("/prompt", self.prompt)
        router.add_post("/cancel", self.cancel)
        router.add_post("/sign-out", self.sign_out)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check the password, and begin a login."""
        form = await self._form(request)
        name = form.get("name", "")
        account = self._account(name)
        right = await self._passwords.matches(account.password_hash if account else None, form.get("password", ""))
        if account is None or not right:
            return await self._refuse_password(request, account, name)
        visit = self._visits.of(request)
        if visit.under_way and visit.account is not None and visit.account.account_id == account.account_id:
            raise web.HTTPSeeOther(visit.home)
        ticket = Ticket(account.account_id, new_token())
        outcome, row = await self._decide(
            request,
            SignIn(
                account_id=account.account_id,
                at=now(),
                login_id=new_id(),
                login_digest=ticket.digest,
                session_digest=self._cookies.session_ticket(ticket).digest,
                password_hash=account.password_hash,
                browser=self._visits.browser(request),
            ),
        )
        if outcome == Refused.LOCKED:
            return self._render_locked(request, name, row)
        if outcome != OK:
            return self._render_sign_in(request, name, messages.password_changed(), UNAUTHORIZED)
        found = steps.settled(row, ticket.digest, now())
        answer = web.HTTPSeeOther(steps.pages_of(found[1], now())[0] if found else steps.SIGN_IN)
        self._cookies.write_ticket(answer, LOGIN, ticket, self._login_seconds)
        raise answer

    async def pair(self, request: web.Request) -> web.Response:
        """Take the phrase that the phone shows."""
        form = await self._form(request)
        visit = self._visits.of(request)
        if visit.account is None or visit.login is None or steps.PAIR not in steps.pages_of(visit.login, visit.at):
            raise web.HTTPSeeOther(visit.home)
        typed = form.get("phrase", "")
        words = read_phrase(typed)
        unknown = unknown_words(words)
        if len(words) != WORDS or unknown:
            notice = messages.unknown_words(unknown) if unknown else messages.wrong_word_count(len(words))
            return self._render_pair(request, visit.account, notice, visit.at, typed)
        outcome, row = await self._decide(
            request,
            StartPairing(
                account_id=visit.account.account_id,
                at=now(),
                login_id=visit.login.login_id,
                pairing_id=new_id(),
                phrase_digest=phrase_digest(self._phrase_key, words),
            ),
        )
        if outcome == Refused.PAIRING_PAUSED:
            return self._render_pair(request, row, None, now(), typed)
        raise web.HTTPSeeOther(steps.PAIR_WAIT)

    async def prompt(self, request: web.Request) -> web.Response:
        """Send the authentication request to the phone."""
        await self._form(request)
        visit = self._visits.of(request)
        if visit.account is not None and visit.login is not None and visit.under_way:
            await self._decide(
                request,
                SendPrompt(
                    account_id=visit.account.account_id,
                    at=now(),
                    login_id=visit.login.login_id,
                    challenge_id=new_id(),
                ),
            )
        raise web.HTTPSeeOther(self._visits.of(request).home)

    async def cancel(self, request: web.Request) -> web.Response:
        """Give the login up."""
        await self._form(request)
        visit = self._visits.of(request)
        if visit.account is not None and visit.login is not None:
            await self._decide(
                request, CancelLogin(account_id=visit.account.account_id, at=now(), login_id=visit.login.login_id)
            )
        raise web.HTTPSeeOther(self._visits.of(request).home)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session."""
        await self._form(request)
        ticket = self._cookies.read(request, SESSION)
        visit = self._visits.of(request)
        if ticket is not None and visit.session is not None:
            await self._decide(
                request, EndSession(account_id=ticket.account_id, at=now(), session_digest=visit.session.session_digest)
            )
        answer = web.HTTPSeeOther(steps.SIGN_IN)
        self._cookies.drop(answer, SESSION)
        raise answer

    def render_pair(self, request: web.Request, account: Account, login: Login, at: datetime) -> web.Response:
        """Show PAIR A DEVICE, with why the last try came to nothing."""
        notice = None if login.pairing is None else messages.pairing_failed(login.pairing.failure, self._pages.names)
        return self._render_pair(request, account, notice, at, "")

    def _render_pair(
        self, request: web.Request, account: Account, notice: messages.Notice | None, at: datetime, typed: str
    ) -> web.Response:
        paused_until = account.pairing_paused_until
        paused = paused_until is not None and at < paused_until
        if paused and paused_until is not None:
            notice = messages.pairing_paused(paused_until, at)
        status = 200 if notice is None or request.method == "GET" else TOO_MANY if paused else UNPROCESSABLE
        return self._pages.render(request, "pair", status, phrase=typed, error=notice, paused=paused)

    def _account(self, name: str) -> Account | None:
        account_id = account_id_of(name)
        account = None if account_id is None else self._accounts.get(account_id)
        return None if account is None or account.removed_at is not None else account

    async def _refuse_password(self, request: web.Request, account: Account | None, name: str) -> web.Response:
        if account is None:
            return self._render_sign_in(request, name, messages.wrong_password(), UNAUTHORIZED)
        browser = self._visits.browser(request)
        outcome, row = await self._decide(
            request, FailPassword(account_id=account.account_id, at=now(), browser=browser)
        )
        if outcome == Refused.LOCKED:
            return self._render_locked(request, name, row)
        return self._render_sign_in(request, name, messages.wrong_password(), UNAUTHORIZED)

    def _render_locked(self, request: web.Request, name: str, account: Account) -> web.Response:
        at = now()
        until = account.locked_until or at
        answer = self._render_sign_in(request, name, messages.locked(until, at), TOO_MANY)
        answer.headers["Retry-After"] = str(max(1, round((until - at).total_seconds())))
        return answer

    def _render_sign_in(self, request: web.Request, name: str, error: messages.Notice, status: int) -> web.Response:
        return self._pages.render(request, "sign_in", status, name=name, error=error, info=None)

    async def _decide(self, request: web.Request, command: AccountCommand) -> tuple[str, Account]:
        """Publish a command and await its decision.

        Returns:
            The outcome, and the account as it was decided.

        Raises:
            UnavailableError: If it is not decided in time; it may yet be.

        """
        decided = await self._accounts.outcome(command.account_id, await self._publisher.command(command))
        if decided is None:
            raise UnavailableError
        note(request, decided[1])
        return decided

    async def _form(self, request: web.Request) -> dict[str, str]:
        """Return a form's fields, once it is sure that it came from a page of ours."""
        form = await request.post()
        if not self._cookies.csrf_holds(request, form.get("csrf")):
            raise web.HTTPForbidden(text=messages.stale_form().text)
        return {name: value for name, value in form.items() if isinstance(value, str)}
