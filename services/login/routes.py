"""Account Manager's pages of a sign-in: they show where the login is. What browsers post is in the forms' modules."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from aiohttp import web

from services.common.instance.health import Health
from services.common.keys.keys import SigningKeys
from services.common.telemetry.telemetry import Telemetry
from services.common.web.openapi import serve_document
from services.common.web.web import make_web, serve_key_set
from services.login.account.password import PASSWORD
from services.login.codes.forms import CodeForm
from services.login.domain import push
from services.login.domain.account import Account
from services.login.domain.login import EndReason, Login, LoginKind
from services.login.domain.numbers import number_of
from services.login.openapi import describe
from services.login.pairing.forms import EnrolmentForms
from services.login.web import login_pages, page_messages
from services.login.web.context import LoginContext
from services.login.web.cookies import LOGIN, NEXT
from services.login.web.events import Events
from services.login.web.forms import Forms
from services.login.web.pages import CONTENT_SECURITY_POLICY, HERE
from services.login.web.read_your_writes import ReadYourWrites


class Routes(Protocol):
    """A part of the web side that has addresses of its own."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add them to a router."""


class LoginWeb:
    """The web side of one instance."""

    def __init__(  # noqa: PLR0913 - the parts of one web side
        self,
        *,
        desk: Forms,
        enrolment: EnrolmentForms,
        codes: CodeForm,
        parts: Sequence[Routes],
        events: Events,
        catch_up: ReadYourWrites,
        signing_keys: SigningKeys,
    ) -> None:
        """Take the parts that it needs.

        Args:
            desk: Takes forms in, renders, knows who comes.
            enrolment: The forms of the first pairing.
            codes: The form for codes.
            parts: What else has addresses.
            events: Streams to the waiting pages.
            catch_up: Lets requests wait for what their browsers have seen.
            signing_keys: To publish.

        """
        self._desk = desk
        self._pages = desk.pages
        self._visits = desk.visits
        self._enrolment = enrolment
        self._codes = codes
        self._parts: tuple[Routes, ...] = (enrolment, codes, *parts)
        self._events = events
        self._catch_up = catch_up
        self._signing_keys = signing_keys

    def make(self, health: Health, telemetry: Telemetry, url: str) -> web.Application:
        """Return the web application.

        Args:
            health: What /ready tells.
            telemetry: Hears of each request.
            url: Where browsers reach it.

        """
        application = make_web(health, telemetry, self._pages.render_error, CONTENT_SECURITY_POLICY)
        router = application.router
        router.add_get("/", self.home)
        router.add_get(login_pages.SIGN_IN, self.sign_in)
        for path in login_pages.LOGIN_PAGES:
            router.add_get(path, self.step)
        router.add_get(login_pages.COMPLETE, self.complete)
        router.add_get("/events", self.stream)
        router.add_get("/.well-known/jwks.json", serve_key_set(self._signing_keys))
        router.add_static("/static", HERE / "static")
        serve_document(application, describe(url, HERE / "static"))
        for part in self._parts:
            part.add_routes(router)
        self._catch_up.install(application)
        application.on_shutdown.append(self._events.close_all)
        return application

    async def home(self, request: web.Request) -> web.Response:
        """Lead a browser to where it is."""
        raise web.HTTPSeeOther(self._visits.of(request).home)

    async def sign_in(self, request: web.Request) -> web.Response:
        """Show SIGN IN, or lead back to a login that is under way."""
        visit = self._visits.of(request)
        if visit.under_way or visit.session is not None:
            raise web.HTTPSeeOther(visit.home)
        return self._pages.render(request, "sign_in", name="", error=None, info=None)

    async def step(self, request: web.Request) -> web.Response:
        """Show a step of a login, or lead to the step that it is at."""
        return self._render_step(request, self._visits.step(request, request.path))

    def _render_step(self, request: web.Request, step: LoginContext) -> web.Response:  # noqa: PLR0911 - one line a page
        account, login, at = step.account, step.login, step.at
        match request.path:
            case login_pages.ENROL:
                return self._enrolment.render_enrol(request, account, login)
            case login_pages.CONNECT:
                return self._pages.render(request, "connect", account_name=account.display_name, kind=login.kind)
            case login_pages.PAIR:
                return self._enrolment.render_pair(request, account, login)
            case login_pages.PAIR_WAIT:
                return self._pages.render(request, "pair_wait", **self._visits.waiting(login, at))
            case login_pages.PAIR_DONE:
                return self._pages.render(request, "paired", device_name=account.devices[-1].name, kind=login.kind)
            case login_pages.WAIT:
                return self._render_wait(request, login, at)
            case login_pages.SEND:
                return self._render_send(request, account, login, at)
            case login_pages.CODE:
                return self._codes.render(request, account, login, at)
            case _:
                reason = login.end_reason or EndReason.TIMED_OUT
                message = page_messages.ended(reason, login.kind, self._pages.names)
                return self._pages.render(request, "ended", message=message, reason=reason, kind=login.kind)

    def _render_wait(self, request: web.Request, login: Login, at: datetime) -> web.Response:
        challenge = login.challenge
        asks = challenge is not None and challenge.number_matching
        number = (
            number_of(self._desk.rules.number_key, challenge.challenge_id) if challenge is not None and asks else None
        )
        return self._pages.render(request, "wait", number=number, **self._visits.waiting(login, at))

    def _render_send(self, request: web.Request, account: Account, login: Login, at: datetime) -> web.Response:
        other = account.open_challenge()
        until = other.challenge.expires_at if other is not None and other.challenge is not None else at
        paused_until = push.next_push_at(account, at, self._desk.rules)
        return self._pages.render(
            request,
            "send",
            events_detail="" if other is None else "&other",
            other_seconds_left=page_messages.seconds_until(until, at),
            paused_seconds_left=0 if paused_until is None else page_messages.seconds_until(paused_until, at),
            locked=account.push.reported is not None,
            phones=account.devices,
            kind=login.kind,
        )

    async def complete(self, request: web.Request) -> web.Response:
        """Turn an approved login into a session; again and again the same one, if the answer gets lost."""
        step = self._visits.step(request, login_pages.COMPLETE)
        due = step.account.password_change_due and step.login.kind is not LoginKind.ADD_PHONE
        wanted = request.cookies.get(NEXT) == login_pages.TO_PASSWORD and step.login.kind is LoginKind.CONFIRM
        answer = web.HTTPSeeOther(PASSWORD if due or wanted else login_pages.ACCOUNT)
        self._visits.complete(request, step, answer)
        return answer

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Stream to a waiting page."""
        return await self._events.serve(request, self._visits.ticket(request, LOGIN))
