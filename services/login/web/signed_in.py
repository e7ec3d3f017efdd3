"""The signed-in user of a request, and the changes that the user makes."""

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
"""A session is touched once this part of its idle time has passed, not at each request."""


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user who is signed in.

    Attributes:
        account: The user's account, expired.
        session: The browser's session.
        at: The request's time.
        confirmed: True if the session may change the account.

    """

    account: Account
    session: Session
    at: datetime
    confirmed: bool

    def command(self, kind: type[SessionCommand], **fields: Any) -> SessionCommand:
        """Return a command of this session, with the present time."""
        names = {"account_id": self.account.account_id, "at": now(), "session_digest": self.session.session_digest}
        return kind.model_validate({**names, **fields})


def require_signed_in(context: RequestContext, limits: Limits, *, to_change_password: bool = False) -> SignedInUser:
    """Return the signed-in user of a request.

    Args:
        context: The request's context.
        limits: The limits.
        to_change_password: Whether the request is a part of changing the password.

    Raises:
        HTTPSeeOther: To the page that the browser belongs on, if it has no session; to the one that changes the
            password, while that is due before anything else.

    """
    account, session, at = context.session_account, context.session, context.at
    if account is None or session is None:
        raise web.HTTPSeeOther(context.home)
    if account.password_change_due and not to_change_password:
        raise web.HTTPSeeOther(login_pages.PASSWORD)
    return SignedInUser(expire(account, at, limits), session, at, is_confirmed(session, at, limits))


async def touch(forms: Forms, user: SignedInUser) -> None:
    """Extend the idle time of the user's session, if a part of it has passed."""
    idle_lifetime = forms.policy.limits.idle_lifetime
    if user.session.idle_until - user.at < idle_lifetime * (1 - TOUCH_FRACTION):
        with suppress(UnavailableError):  # the page can be shown; the next request touches the session
            await forms.publish(user.command(TouchSession))


async def change(forms: Forms, request: web.Request, command: SessionCommand) -> Rejection | None:
    """Publish a command that changes the account, and await the decision.

    Returns:
        The rejection, or None if the change was made.

    Raises:
        HTTPSeeOther: To the sign-in page, if the session is over.

    """
    outcome, _ = await forms.decide(request, command)
    if outcome == Rejection.NO_SESSION:
        raise web.HTTPSeeOther(login_pages.SIGN_IN)
    return None if outcome == OK else Rejection(outcome)
