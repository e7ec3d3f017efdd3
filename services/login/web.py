"""Account Manager's pages and endpoints: they check, publish a command, await the view, and show where the login is."""

from datetime import datetime

from aiohttp import web

from services.common.health import Health
from services.common.keys import SigningKeys
from services.common.web import make_web, serve_key_set
from services.login import messages, steps
from services.login.catch_up import CatchUp
from services.login.cookies import LOGIN
from services.login.domain.logins import EndReason, Login
from services.login.domain.rows import Account
from services.login.domain.settle import settle
from services.login.events import Events
from services.login.forms import Forms
from services.login.pages import CONTENT_SECURITY_POLICY, HERE, Pages
from services.login.visits import Visits


class LoginWeb:
    """The web side of one instance: what browsers GET. What they POST is in forms.py."""

    def __init__(  # noqa: PLR0913 - the parts of one web side
        self,
        *,
        pages: Pages,
        visits: Visits,
        forms: Forms,
        events: Events,
        catch_up: CatchUp,
        signing_keys: SigningKeys,
        seconds: int,
    ) -> None:
        """Take the parts that it needs.

        Args:
            pages: Renders.
            visits: Knows who comes.
            forms: Takes what is posted.
            events: Streams to the waiting pages.
            catch_up: Lets requests wait for what their browsers have seen.
            signing_keys: To publish.
            seconds: How long a session lasts.

        """
        self._pages = pages
        self._visits = visits
        self._forms = forms
        self._events = events
        self._catch_up = catch_up
        self._signing_keys = signing_keys
        self._session_seconds = seconds

    def make(self, health: Health) -> web.Application:
        """Return the web application."""
        application = make_web(health, self._pages.render_error, CONTENT_SECURITY_POLICY)
        router = application.router
        router.add_get("/", self.home)
        router.add_get(steps.SIGN_IN, self.sign_in)
        for path in (steps.CONNECT, steps.PAIR, steps.PAIR_WAIT, steps.PAIR_DONE, steps.SEND, steps.WAIT, steps.ENDED):
            router.add_get(path, self.step)
        router.add_get(steps.COMPLETE, self.complete)
        router.add_get(steps.ACCOUNT, self.account)
        router.add_get("/events", self.stream)
        router.add_get("/.well-known/jwks.json", serve_key_set(self._signing_keys))
        router.add_static("/static", HERE / "static")
        self._forms.add_routes(router)
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
        visit = self._visits.of(request)
        if visit.account is None or visit.login is None:
            raise web.HTTPSeeOther(visit.home)
        if request.path not in steps.pages_of(visit.login, visit.at):
            raise web.HTTPSeeOther(visit.home)
        return self._render_step(request, visit.account, visit.login, visit.at)

    def _render_step(  # noqa: PLR0911 - one line a page
        self, request: web.Request, account: Account, login: Login, at: datetime
    ) -> web.Response:
        match request.path:
            case steps.CONNECT:
                return self._pages.render(request, "connect", account_name=account.display_name)
            case steps.PAIR:
                return self._forms.render_pair(request, account, login, at)
            case steps.PAIR_WAIT:
                return self._pages.render(request, "pair_wait", **self._visits.waiting(login, at))
            case steps.PAIR_DONE:
                return self._pages.render(request, "paired", device_name=account.devices[-1].name)
            case steps.WAIT:
                return self._pages.render(request, "wait", **self._visits.waiting(login, at))
            case steps.SEND:
                return self._render_send(request, account, at)
            case _:
                notice = messages.ended(login.end_reason or EndReason.TIMED_OUT, self._pages.names)
                return self._pages.render(request, "ended", notice=notice, reason=login.end_reason)

    def _render_send(self, request: web.Request, account: Account, at: datetime) -> web.Response:
        other = account.open_prompt()
        until = other.prompt.expires_at if other is not None and other.prompt is not None else at
        seconds = max(0, round((until - at).total_seconds()))
        shown = "" if other is None else "&other"
        return self._pages.render(request, "send", events_detail=shown, other_seconds_left=seconds)

    async def complete(self, request: web.Request) -> web.Response:
        """Turn an approved login into a session; again and again the same one, if the answer gets lost."""
        visit = self._visits.of(request)
        if visit.login is None or steps.COMPLETE not in steps.pages_of(visit.login, visit.at):
            raise web.HTTPSeeOther(visit.home)
        answer = web.HTTPSeeOther(steps.ACCOUNT)
        self._visits.open_session(request, answer, self._session_seconds)
        return answer

    async def account(self, request: web.Request) -> web.Response:
        """Show the account of who is signed in."""
        visit = self._visits.of(request)
        if visit.session is None or visit.owner is None:
            raise web.HTTPSeeOther(visit.home)
        owner = settle(visit.owner, visit.at)
        sessions = [
            {
                "browser_name": each.browser.name,
                "address": each.browser.address,
                "started_at": each.started_at.isoformat(),
                "current": each.session_digest == visit.session.session_digest,
            }
            for each in reversed(owner.sessions)
        ]
        return self._pages.render(
            request,
            "account",
            account_name=owner.display_name,
            devices=[{"name": each.name, "paired_at": each.paired_at.isoformat()} for each in owner.devices],
            history=[messages.history_line(each) for each in reversed(owner.history)],
            sessions=sessions,
        )

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Stream to a waiting page."""
        return await self._events.serve(request, self._visits.ticket(request, LOGIN))
