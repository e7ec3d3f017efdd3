"""What the login service decides with: its limits, and how it signs."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from protocol.jose import PrivateKey
from schemas.base import AgreementKey

QUIET: Final = timedelta(hours=1)
"""After so long without a wrong password the count begins anew, for names that exist and for those that do not."""


def failures_in_a_row(before: int, last_at: datetime | None, at: datetime) -> int:
    """Return how many wrong passwords in a row there are with one more.

    Args:
        before: How many there were.
        last_at: When the last one was; None if there was none.
        at: When this one is.

    """
    return before + 1 if last_at is not None and at <= last_at + QUIET else 1


class Rejection(StrEnum):
    """Why a command was refused; the web side has a page for each."""

    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_EXISTS = "account_exists"
    LOCKED = "locked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    NO_LOGIN = "no_login"
    NO_SESSION = "no_session"
    NOT_CONFIRMED = "not_confirmed"
    NOT_NOW = "not_now"
    PAIRING_PAUSED = "pairing_paused"
    OTHER_CHALLENGE = "other_challenge"
    PUSH_PAUSED = "push_paused"
    PUSH_LOCKED = "push_locked"
    WRONG_CODE = "wrong_code"
    USED_CODE = "used_code"
    CODES_PAUSED = "codes_paused"
    UNKNOWN_METHOD = "unknown_method"
    LAST_METHOD = "last_method"
    TOO_MANY_METHODS = "too_many_methods"
    TOO_MANY_MAILS = "too_many_mails"


class Enrolment(StrEnum):
    """What the first pairing needs beside the password."""

    NOTHING = "nothing"
    EMAIL = "email"
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class PauseLimits:
    """Pauses that grow.

    Attributes:
        tries: How many failures in a row before the first pause.
        first: How long that pause is; each further failure doubles it.
        longest: No pause is longer.

    """

    tries: int
    first: timedelta
    longest: timedelta

    def after(self, failures: int) -> timedelta:
        """Return the pause after so many failures in a row, possibly none."""
        if failures < self.tries:
            return timedelta()
        doublings = min(failures - self.tries, 20)
        return min(self.first * (1 << doublings), self.longest)

    def until(self, failures: int, at: datetime) -> datetime | None:
        """Return when the pause after so many failures ends, the last one being at a time; None if there is none."""
        pause = self.after(failures)
        return at + pause if pause else None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one deployment.

    Attributes:
        issuer: This service's URL, which signs its challenges.
        service_name: What people sign in to.
        key: The key that signs.
        accepted_keys: Thumbprints of all keys that it signs with or has lately signed with, the active one first.
        agreement_key: Its public key for the secrets of verification codes, offered to phones that are paired.
        seal_key: The secret that the pairing and login services share.
        number_key: The secret that the numbers of number matching follow from.
        number_matching: Whether an approval must hold the number that the browser shows.
        enrolment: What the first pairing needs beside the password.
        prompt_lifetime: How long a request on the phone can be answered.
        most_prompts: How many requests are sent to an account's phones within the window.
        prompt_window: That window.
        refusals: Pauses after requests that were denied, answered with a wrong number or not answered.
        login_lifetime: How long a login may take from the password on.
        session_lifetime: How long a session lasts.
        idle_lifetime: How long it lasts when nothing is done in it.
        confirmation_lifetime: How long after the second factor changes are taken without asking for it again.
        remember_lifetime: How long a browser is remembered; nothing if none is.
        passwords: Pauses after wrong passwords.
        addresses: Pauses after wrong passwords from one address, at whatever account.
        codes: Pauses after wrong codes.
        pairing_tries: Phrases in a row before a pause.
        pairing_pause: How long that pause is.

    """

    issuer: str
    service_name: str
    key: PrivateKey
    accepted_keys: tuple[str, ...]
    agreement_key: AgreementKey
    seal_key: bytes = field(repr=False)
    number_key: bytes = field(repr=False)
    number_matching: bool = True
    enrolment: Enrolment = Enrolment.NOTHING
    prompt_lifetime: timedelta = timedelta(minutes=2)
    most_prompts: int = 3
    prompt_window: timedelta = timedelta(minutes=10)
    refusals: PauseLimits = PauseLimits(2, timedelta(minutes=1), timedelta(hours=1))
    login_lifetime: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=12)
    idle_lifetime: timedelta = timedelta(hours=1)
    confirmation_lifetime: timedelta = timedelta(minutes=10)
    remember_lifetime: timedelta = timedelta()
    passwords: PauseLimits = PauseLimits(5, timedelta(seconds=30), timedelta(minutes=15))
    addresses: PauseLimits = PauseLimits(20, timedelta(seconds=30), timedelta(minutes=15))
    codes: PauseLimits = PauseLimits(5, timedelta(seconds=30), timedelta(hours=1))
    pairing_tries: int = 5
    pairing_pause: timedelta = timedelta(minutes=5)
