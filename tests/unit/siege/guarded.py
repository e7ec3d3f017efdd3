"""An account as its owner decides for it, each decision watched; rows and messages pass as they do through Kafka."""

from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from schemas.base import Message
from schemas.codec import Event, decode, encode
from services.common.decisions import Decision, UnacceptableError, decide_once
from services.common.rows.codec import read_row, write_row
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.policy import Policy
from tests.builders import T0
from tests.session_messages import a_creation
from tests.unit.siege import scribe
from tests.unit.siege.ledger import Ledger
from tests.unit.siege.watch import approved_by, check, check_afterwards

MessageT = TypeVar("MessageT", bound=Message)


class Guarded:
    """The account ``alex``, the time, and all that was ever said.

    Attributes:
        now: The time.
        account: The account as it stands.
        ledger: What happened to it.
        said: Every event that it was given, oldest first, and what its decision led to.
        set_aside: How many events could not be true.

    """

    def __init__(self, policy: Policy) -> None:
        """Begin with an account that has an address and no method yet."""
        self.now: datetime = T0
        self._decide = partial(decide_account, policy=policy)
        creation = a_creation(email="alex@example.org")
        made = decide_account(None, Event("e0", T0, "test", "", creation), policy).row
        assert made is not None
        self.account: Account = made
        self.ledger = Ledger(policy.limits, creation.password_hash)
        self.said: list[Message] = []
        self.set_aside = 0
        self._events: list[tuple[Event[Message], Decision[Account]]] = []

    def give(self, message: Message) -> str | None:
        """Let the account's owner decide a message; return its outcome, or None if it could not be true."""
        self.said.append(message)
        record = encode(Event(f"e{len(self.said)}", self.now, "test", "", message))
        event = decode(record.key, record.value, record.headers)
        scribe.draw(self.ledger, message)
        self.ledger.pass_time(self.now)
        before = self.account
        try:
            decision = decide_once(before, event, self._decide)
        except UnacceptableError:
            self.set_aside += 1
            return None
        check(self.ledger, message, self.now, before, decision)
        scribe.note(self.ledger, message, self.now, decision.outcome, decision.events)
        assert decision.row is not None
        for login in approved_by(before, decision.row):
            scribe.note_approval(self.ledger, login, self.now)
        self.account = read_row(Account, write_row(decision.row).decode())
        assert self.account == decision.row, "a row must read as it was written"
        self.said.extend(decision.events)
        self._events.append((event, decision))
        check_afterwards(self.ledger, self.account, self.now)
        return decision.outcome

    def repeat(self, number: int) -> None:
        """Give one of the last events once more, as Kafka may."""
        if self._events:
            event, first = self._events[-1 - number % min(len(self._events), 8)]
            if self.account.outcome_of(event.id) is not None:
                again = decide_once(self.account, event, self._decide)
                assert again.row == self.account, "a repeat changed something"
                assert again.events in {first.events, ()}, "a repeat led to something else"

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.ledger.pass_time(self.now)
        check_afterwards(self.ledger, self.account, self.now)

    def heard(self, kind: type[MessageT]) -> list[MessageT]:
        """Return all messages of a kind, given or led to."""
        return [message for message in self.said if isinstance(message, kind)]
