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
"""The commands that start a login."""


@dataclass(slots=True)
class LoginTimeline:
    """The course of one login.

    Attributes:
        account_id: The account.
        began_at: The time of the right password, or of the session's command.
        steps: The outcome of each event by id: ``ok``, the rejection, or why no challenge was sent.
        login: Its last state; None if it was never started.

    """

    account_id: str
    began_at: datetime
    steps: dict[str, str] = field(default_factory=dict)
    login: Login | None = None

    @property
    def approved(self) -> bool:
        """True if it was approved."""
        return self.login is not None and self.login.state is LoginState.APPROVED

    @property
    def end(self) -> str:
        """Its end, in words."""
        if self.login is None:
            return f"refused: {_words(next(reversed(self.steps.values()), 'unknown'))}"
        if self.approved:
            return f"approved by {_words(self.login.method or 'the session')}"
        return _words(self.login.end_reason or f"left at {self.login.state}")


@dataclass(slots=True)
class Replay:
    """The result of replaying an account's history under a policy.

    Attributes:
        timelines: The logins by id, in the order of their start.
        outcomes: The outcome of each event by id.

    """

    timelines: dict[str, LoginTimeline] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)


def replay(account: Account | None, events: Iterable[Event[Message]], policy: Policy, until: datetime) -> Replay:
    """Decide an account's events in order.

    Args:
        account: The account before the events, or None.
        events: The events; a forged one is skipped, since the account's owner dead-letters it.
        policy: The policy.
        until: The time at which unfinished logins are evaluated.

    """
    result = Replay()
    login_ids: dict[str, str] = {}
    for event in events:
        try:
            decision = decide_once(account, event, lambda row, of: decide_account(row, of, policy))
        except UnacceptableError:
            continue
        account = decision.row
        result.outcomes[event.id] = decision.outcome
        timeline = _timeline_of(event, result, login_ids)
        if timeline is not None:
            timeline.steps[event.id] = _step(event, decision.outcome, account, policy.limits)
        _update_logins(account, result)
    for timeline in result.timelines.values():
        timeline.login = None if timeline.login is None else expire_login(timeline.login, until)
    return result


def _timeline_of(event: Event[Message], result: Replay, login_ids: dict[str, str]) -> LoginTimeline | None:
    """Return the timeline of an event's login, creating it if the event starts the login."""
    message = event.data
    if isinstance(message, BEGIN):
        login_ids[message.login_id] = message.login_id  # a sign-in's first challenge has the login's id
        return result.timelines.setdefault(message.login_id, LoginTimeline(message.account_id, event.time))
    if isinstance(message, SendChallenge):
        login_ids[message.challenge_id] = message.login_id
    if isinstance(message, AuthResponse):
        return result.timelines.get(login_ids.get(message.challenge_id, ""))
    return result.timelines.get(getattr(message, "login_id", ""))


def _step(event: Event[Message], outcome: str, account: Account | None, limits: Limits) -> str:
    """Return the outcome of an event, or why an accepted sign-in sent no challenge to the phone."""
    if outcome != OK or account is None or not isinstance(event.data, SignIn):
        return outcome
    login = account.login(event.data.login_id)
    unchallenged = login is not None and login.state is LoginState.READY and account.devices
    return (challenge_rejection(account, event.time, limits) or OK) if unchallenged else OK


def _update_logins(account: Account | None, result: Replay) -> None:
    for login in account.logins if account is not None else ():
        if login.login_id in result.timelines:
            result.timelines[login.login_id].login = login


def _words(name: str) -> str:
    return name.replace("_", " ")
