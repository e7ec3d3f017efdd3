"""How the logins of one account went under some rules: its history, decided once more from a beginning."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse
from schemas.login_messages import AddPhone, Confirm, SendChallenge, SignIn
from services.common.decisions import OK, UnacceptableError, decide_once
from services.login.domain.account import Account
from services.login.domain.challenges import challenge_rejection
from services.login.domain.decide import decide_account
from services.login.domain.expire import expire_login
from services.login.domain.limits import Limits
from services.login.domain.login import Login, LoginState
from services.login.domain.policy import Policy

BEGIN: Final = (SignIn, Confirm, AddPhone)
"""The commands that begin a login."""


@dataclass(slots=True)
class LoginTimeline:
    """How a login went.

    Attributes:
        account_id: Whose it was.
        began_at: When the password was right, or the session wished it.
        steps: How each event of it ended, by the event's id: ``ok``, or why it was refused or the phone not asked.
        login: How it stood last; None if it never came about.

    """

    account_id: str
    began_at: datetime
    steps: dict[str, str] = field(default_factory=dict)
    login: Login | None = None

    @property
    def approved(self) -> bool:
        """True if it did what it was for."""
        return self.login is not None and self.login.state is LoginState.APPROVED

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.login is None:
            return f"refused: {_words(next(reversed(self.steps.values()), 'unknown'))}"
        if self.approved:
            return f"approved by {_words(self.login.method or 'the session')}"
        return _words(self.login.end_reason or f"left at {self.login.state}")


@dataclass(slots=True)
class Played:
    """An account's history under some rules.

    Attributes:
        courses: The logins by their ids, in the order in which they began.
        outcomes: How each event ended, by its id.

    """

    courses: dict[str, LoginTimeline] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)


def play(account: Account | None, events: Iterable[Event[Message]], policy: Policy, until: datetime) -> Played:
    """Decide an account's events one after the other.

    Args:
        account: The account before them, or None.
        events: The events; one that could not be true is passed over, as the account's owner sets it aside.
        policy: The policy.
        until: When the last login is looked at.

    """
    played = Played()
    asked: dict[str, str] = {}
    for event in events:
        try:
            decision = decide_once(account, event, lambda row, of: decide_account(row, of, policy))
        except UnacceptableError:
            continue
        account = decision.row
        played.outcomes[event.id] = decision.outcome
        course = _course_of(event, played, asked)
        if course is not None:
            course.steps[event.id] = _step(event, decision.outcome, account, policy.limits)
        _follow(account, played)
    for course in played.courses.values():
        course.login = None if course.login is None else expire_login(course.login, until)
    return played


def _course_of(event: Event[Message], played: Played, asked: dict[str, str]) -> LoginTimeline | None:
    """Return the login that an event is of; a new one if it begins it."""
    message = event.data
    if isinstance(message, BEGIN):
        asked[message.login_id] = message.login_id  # the first request of a sign-in has the login's id
        return played.courses.setdefault(message.login_id, LoginTimeline(message.account_id, event.time))
    if isinstance(message, SendChallenge):
        asked[message.challenge_id] = message.login_id
    if isinstance(message, AuthResponse):
        return played.courses.get(asked.get(message.challenge_id, ""))
    return played.courses.get(getattr(message, "login_id", ""))


def _step(event: Event[Message], outcome: str, account: Account | None, limits: Limits) -> str:
    """Return how an event ended: a sign-in may be taken and yet send no request to the phone."""
    if outcome != OK or account is None or not isinstance(event.data, SignIn):
        return outcome
    login = account.login(event.data.login_id)
    held = login is not None and login.state is LoginState.READY and account.devices
    return (challenge_rejection(account, event.time, limits) or OK) if held else OK


def _follow(account: Account | None, played: Played) -> None:
    for login in account.logins if account is not None else ():
        if login.login_id in played.courses:
            played.courses[login.login_id].login = login


def _words(name: str) -> str:
    return name.replace("_", " ")
