"""The owner of one account, as a test speaks to it: message by message."""

from functools import partial
from typing import Any

from schemas.base import Message
from schemas.contract import ChallengeIssued
from services.common.decisions import Decision, decide_once
from services.login.domain.decide import decide
from services.login.domain.logins import Login
from services.login.domain.rows import Account
from tests.builders import an_account, an_event, rules
from tests.events import only
from tests.messages import a_sign_in


class Owner:
    """Decides what happens to one account.

    Attributes:
        account: The account as it stands.

    """

    def __init__(self, account: Account | None = None, **rule_changes: Any) -> None:
        """Begin with an account, by default one with a phone."""
        self._decide = partial(decide, rules=rules(**rule_changes))
        self.account = account or an_account()

    def take(self, message: Message) -> Decision[Account]:
        """Decide a message, and keep the row."""
        decision = decide_once(self.account, an_event(message), self._decide)
        assert decision.row is not None
        self.account = decision.row
        return decision

    def prompt(self, message: Message) -> str:
        """Decide a message that must lead to a challenge, and return the challenge."""
        return only(self.take(message).events, ChallengeIssued).challenge

    def login(self, login_id: str = "login-1") -> Login:
        """Return a login that must be there."""
        login = self.account.login(login_id)
        assert login is not None
        return login


def asked(account: Account | None = None, **rule_changes: Any) -> tuple[Owner, str]:
    """Return the owner of an account whose phone is asked for a login, and the challenge."""
    owner = Owner(account, **rule_changes)
    return owner, owner.prompt(a_sign_in())
