"""Who is signed in and acts on their account: what all its pages and forms ask first."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from schemas.login_sessions import SessionCommand, TouchSession
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.publisher import UnavailableError
from services.login.domain.account import Account, Session
from services.login.domain.expire import expire
from services.login.domain.limits import Rejection
from services.login.domain.sessions import is_confirmed
from services.login.web import login_pages
from services.login.web.forms import Forms

TOUCH_FRACTION: Final = 0.1
"""A session is touched once this part of its idle time has gone by: not at each click."""


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """Somebody who is signed in.

    Attributes:
        account: Their account, settled.
        session: The session of this browser.
        at: When they came.
        confirmed: True if the second factor was given lately enough in it for changes.

    """

    account: Account
    session: Session
    at: datetime
    confirmed: bool

    def command(self, kind: type[SessionCommand], **fields: Any) -> SessionCommand:
        """Return a command of this session, given now."""
        names = {"account_id": self.account.account_id, "at": now(), "session_digest": self.session.session_digest}
        return kind.model_validate({**names, **fields})


class SignedInUsers:
    """Knows them, for one instance."""

    def __init__(self, desk: Forms) -> None:
        """Take what it needs."""
        self._desk = desk

    async def of(self, request: web.Request) -> SignedInUser:
        """Return who is signed in in this browser; lead it to where it belongs if nobody is."""
        visit = self._desk.visits.of(request)
        if visit.session_account is None or visit.session is None:
            raise web.HTTPSeeOther(visit.home)
        rules = self._desk.rules
        owner = SignedInUser(
            expire(visit.session_account, visit.at),
            visit.session,
            visit.at,
            is_confirmed(visit.session, visit.at, rules),
        )
        if owner.session.idle_until - visit.at < rules.idle_lifetime * (1 - TOUCH_FRACTION):
            with suppress(UnavailableError):  # a page that can be shown is shown; the next click touches it again
                await self._desk.publish(owner.command(TouchSession))
        return owner

    async def change(self, request: web.Request, command: SessionCommand) -> Rejection | None:
        """Have a change decided.

        Returns:
            Why it was refused, or None if it was made.

        """
        outcome, _ = await self._desk.decide(request, command)
        if outcome == Rejection.NO_SESSION:
            raise web.HTTPSeeOther(login_pages.SIGN_IN)
        return None if outcome == OK else Rejection(outcome)
