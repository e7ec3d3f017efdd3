"""The login service's tables and topics."""

from datetime import datetime
from typing import Final

from schemas.contract import (
    ChallengeEnded,
    ChallengeIssued,
    DeviceUnpaired,
    PairingRequested,
    PairingWithdrawn,
    Purpose,
)
from schemas.login_messages import ChangeName, EmailDue, ForgetGuesses, OpenAccount, ReleaseName
from schemas.topics import (
    AUTH_RESPONSE,
    DEVICE_PAIRED,
    LOGIN,
    LOGIN_COMMANDS,
    LOGIN_EMAILS,
    LOGIN_GUESSES,
    LOGIN_NAMES,
    PAIRING_FAILED,
    PUSH_RECEIPT,
)
from services.common.rows.table import ServiceTopology, Sweep, Table
from services.login.domain.account import Account
from services.login.domain.decide import decide_account
from services.login.domain.guesses import Guesses, decide_guess, is_quiet
from services.login.domain.names import Name, decide_name
from services.login.domain.policy import Policy
from services.login.metrics import AccountTally


def _forget_quiet(row: Guesses, at: datetime, policy: Policy) -> ForgetGuesses | None:
    return ForgetGuesses(source=row.source, at=at) if is_quiet(row, at, policy.limits) else None


ACCOUNTS: Final = Table(
    LOGIN,
    "accounts",
    Account,
    decide_account,
    reads=(LOGIN_COMMANDS, DEVICE_PAIRED, PAIRING_FAILED, AUTH_RESPONSE),
    writes=(ChallengeIssued, ChallengeEnded, PairingRequested, PairingWithdrawn, DeviceUnpaired, EmailDue, ReleaseName),
    tally=lambda metrics: AccountTally(metrics).count,
    only={"purpose": Purpose.LOGIN},
)
"""Accounts, by account id."""
NAMES: Final = Table(LOGIN, "names", Name, decide_name, reads=(LOGIN_NAMES,), writes=(OpenAccount, ChangeName))
"""Sign-in names, by their keyed digests."""
GUESSES: Final = Table(
    LOGIN, "guesses", Guesses, decide_guess, reads=(LOGIN_GUESSES,), sweep=Sweep(_forget_quiet, batch_size=5000)
)
"""Wrong passwords by source, by the keyed digest of an address or a name."""
TOPOLOGY: Final = ServiceTopology(
    LOGIN,
    (ACCOUNTS, NAMES, GUESSES),
    commands=(LOGIN_COMMANDS, LOGIN_NAMES, LOGIN_GUESSES),
    group_reads=(LOGIN_EMAILS,),
    observes=(PUSH_RECEIPT,),
)
