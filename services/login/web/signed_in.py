"""The user who is signed in and changes the account."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiohttp import web

from schemas.login_messages import SessionCommand, TouchSession
from services.common.clock import now
from services.common.decisions import OK
from services.common.kafka.publisher import UnavailableError
from services.login.domain.account import Account, Session
from services.login.domain.expire import expire
from services.login.domain.limits import Limits
from services.login.domain.rejections import Rejection
from services.login.domain.sessions import is_confirmed
from services.login.web import login_pages
from services.login.web.context import RequestContext
from services.login.web.forms import Forms

TOUCH_FRACTION: Final = 0.1
"""A session is touched once this part of its idle time has gone by: not at each click."""


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user who is signed in.

    Attributes:
        account: The user's account, expired.
        session: The session of this browser.
        at: When the request came.
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


def require_signed_in(context: RequestContext, limits: Limits) -> SignedInUser:
    """Return the user who is signed in in a request's browser.

    Raises:
        HTTPSeeOther: To where the browser belongs, if no user is signed in in it.

    """
    account, session, at = context.session_account, context.session, context.at
    if account is None or session is None:
        raise web.HTTPSeeOther(context.home)
    return SignedInUser(expire(account, at, limits), session, at, is_confirmed(session, at, limits))


async def touch(forms: Forms, user: SignedInUser) -> None:
    """Keep the user's session from falling idle, if a part of its idle time has gone by."""
    idle_lifetime = forms.policy.limits.idle_lifetime
    if user.session.idle_until - user.at < idle_lifetime * (1 - TOUCH_FRACTION):
        with suppress(UnavailableError):  # a page that can be shown is shown; the next click touches it again
            await forms.publish(user.command(TouchSession))


async def change(forms: Forms, request: web.Request, command: SessionCommand) -> Rejection | None:
    """Have a change of the account decided.

    Returns:
        Why it was rejected, or None if it was made.

    Raises:
        HTTPSeeOther: To the sign-in page, if the session is over.

    """
    outcome, _ = await forms.decide(request, command)
    if outcome == Rejection.NO_SESSION:
        raise web.HTTPSeeOther(login_pages.SIGN_IN)
    return None if outcome == OK else Rejection(outcome)
