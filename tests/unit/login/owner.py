"""An account's owner, which decides one message after the other."""

from functools import partial
from typing import Any

from schemas.base import Message
from schemas.contract import ChallengeIssued
from schemas.login_messages import AccountCommand
from services.common.decisions import OK, Decision, decide_once
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.expire import expire
from services.login.domain.history import HistoryKind
from services.login.domain.login import Login
from tests.builders import LIMITS, a_session, an_account, an_event, policy, present
from tests.events import only
from tests.messages import a_sign_in
from tests.rows import as_seen, in_turn, without_memory


class Owner:
    """Decides one account's messages.

    Attributes:
        account: The current account.

    """

    def __init__(self, account: Account | None = None, **policy_changes: Any) -> None:
        """Begin with an account, by default one with a phone."""
        self._decide = partial(decide_account, policy=policy(**policy_changes))
        self.account = account or an_account()

    def take(self, message: Message) -> Decision[Account]:
        """Decide a message, and keep the row."""
        event = an_event(as_seen(self.account, message))
        decision = decide_once(self.account, in_turn(self.account, event), self._decide)
        self.account = present(decision.row)
        return decision

    def challenge(self, message: Message) -> str:
        """Decide a message that must lead to a challenge, and return the challenge."""
        return only(self.take(message).events, ChallengeIssued).challenge

    def refuse(self, command: AccountCommand, reason: str) -> None:
        """Decide a command that must be rejected with a reason, without messages or changes, but for what expires."""
        before = expire(self.account, command.at, LIMITS)
        decision = self.take(command)
        assert (decision.outcome, decision.events) == (reason, ())
        assert same(self.account, before)

    def ignore(self, command: AccountCommand) -> None:
        """Decide a command that has no effect and is not rejected."""
        self.refuse(command, OK)

    def history(self) -> list[HistoryKind]:
        """Return the kinds of the history's entries, oldest first."""
        return [entry.what for entry in self.account.history]

    def login(self, login_id: str = "login-1") -> Login:
        """Return a login that must be there."""
        return present(self.account.login(login_id))


def same(first: Account, second: Account) -> bool:
    """Tell whether two rows are the same but for what they remember of events."""
    return without_memory(first) == without_memory(second)


def signed_in(**changes: Any) -> Owner:
    """Return the owner of an account with the session ``s``, which confirmed itself just now."""
    policy_changes = changes.pop("policy", {})
    return Owner(an_account(**{"sessions": (a_session(),), **changes}), **policy_changes)


def asked(account: Account | None = None, **policy_changes: Any) -> tuple[Owner, str]:
    """Return the owner of an account whose phone is asked for a login, and the challenge."""
    owner = Owner(account, **policy_changes)
    return owner, owner.challenge(a_sign_in())
