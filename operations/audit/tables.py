"""The tables of all services, each with the rule that decides its rows, the topics that it reads and what it publishes.

What the services' wirings say in three places, an audit needs in one; a test holds the two to each other.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from schemas import topics
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import (
    AuthResponse,
    ChallengeIssued,
    ChallengeWithdrawn,
    DevicePaired,
    DeviceUnpaired,
    PairingFailed,
    PairingRequested,
    PairingWithdrawn,
    PushReceipt,
)
from schemas.login_notices import EmailDue
from schemas.pairing_commands import IssuePhrase, RetirePhrase
from schemas.push_commands import TellUnpaired
from schemas.topics import LOGIN, PAIRING, PUSH, Topic
from services.common.decisions import Decision, Row
from services.login.domain.account import Account
from services.login.domain.decide import decide as decide_account
from services.login.domain.guesses import Guesses, decide_guess
from services.login.domain.limits import Rules
from services.pairing.domain.phrase import PairingRules, decide_phrase
from services.pairing.domain.requester import decide_requester
from services.pairing.domain.rows import Phrase, Requester
from services.push.domain.channel import decide as decide_channel
from services.push.domain.rows import Channel
from services.push.domain.unpaired import pass_unpaired_on

ALSO_ASKED: Final = (RetirePhrase, PushReceipt)
"""What a table's owner publishes and web sides do as well: to forget old phrases, and to say that a phone has it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        service: The service that owns its rows.
        name: Its name.
        model: The rows' model; None for a relay, which keeps none.
        decide: Its rule.
        reads: The topics whose events change its rows.
        writes: What its owner publishes.

    """

    service: str
    name: str
    model: type[Row] | None
    decide: Callable[[Any, Event[Message]], Decision[Any]] = field(repr=False)
    reads: tuple[Topic, ...] = field(repr=False)
    writes: tuple[type[Message], ...] = field(repr=False)

    @property
    def source(self) -> str:
        """The CloudEvents source of what its owner publishes."""
        return f"{self.service}/{self.name}"

    @property
    def changelog(self) -> Topic:
        """The topic of its rows."""
        return topics.changelog(self.service, self.name)


def all_tables(login: Rules, pairing: PairingRules) -> tuple[Table, ...]:
    """Return all tables under some rules, and the relay, which is a table without rows."""
    return (accounts_table(login), _guesses(login), _REQUESTERS, _phrases(pairing), _CHANNELS, _UNPAIRED)


def accounts_table(rules: Rules) -> Table:
    """Return the table of accounts under some rules."""
    reads = (topics.LOGIN_COMMANDS, topics.DEVICE_PAIRED, topics.PAIRING_FAILED, topics.AUTH_RESPONSE)
    asks = (ChallengeIssued, ChallengeWithdrawn, PairingRequested, PairingWithdrawn)
    decide = partial(decide_account, rules=rules)
    return Table(LOGIN, topics.ACCOUNTS_TABLE, Account, decide, reads, (*asks, DeviceUnpaired, EmailDue))


def _guesses(rules: Rules) -> Table:
    decide = partial(decide_guess, rules=rules)
    return Table(LOGIN, topics.GUESSES_TABLE, Guesses, decide, (topics.LOGIN_GUESSES,), ())


def _phrases(rules: PairingRules) -> Table:
    reads = (topics.PAIRING_PHRASES, topics.PAIRING_REQUESTED, topics.AUTH_RESPONSE)
    writes = (ChallengeIssued, ChallengeWithdrawn, DevicePaired, PairingFailed)
    return Table(PAIRING, topics.PHRASES_TABLE, Phrase, partial(decide_phrase, rules=rules), reads, writes)


_REQUESTERS: Final = Table(
    PAIRING,
    topics.REQUESTERS_TABLE,
    Requester,
    decide_requester,
    (topics.PAIRING_COMMANDS,),
    (IssuePhrase, RetirePhrase),
)
_CHANNELS: Final = Table(
    PUSH,
    topics.CHANNELS_TABLE,
    Channel,
    decide_channel,
    (topics.AUTH_CHALLENGE, topics.PUSH_COMMANDS),
    (AuthResponse, PushReceipt),
)
_UNPAIRED: Final = Table(
    PUSH,
    "unpaired",
    None,
    lambda _row, event: Decision(None, pass_unpaired_on(event)),
    (topics.DEVICE_UNPAIRED,),
    (TellUnpaired,),
)
