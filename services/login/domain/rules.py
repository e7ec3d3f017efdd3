"""What the login service decides with: its limits, and how it signs."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from protocol.jose import PrivateKey


class Refused(StrEnum):
    """Why a command was refused; the web side has a page for each."""

    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_EXISTS = "account_exists"
    LOCKED = "locked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason
    NO_LOGIN = "no_login"
    NOT_NOW = "not_now"
    PAIRING_PAUSED = "pairing_paused"
    OTHER_PROMPT = "other_prompt"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one deployment.

    Attributes:
        issuer: This service's URL, which signs its challenges.
        service_name: What people sign in to.
        key: The key that signs.
        accepted_keys: Thumbprints of all keys that it signs with or has lately signed with, the active one first.
        seal_key: The secret that the pairing and login services share.
        prompt_lifetime: How long a request on the phone can be answered.
        login_lifetime: How long a login may take from the password on.
        session_lifetime: How long a session lasts.
        password_tries: Wrong passwords in a row before the first pause.
        first_pause: How long that pause is; each further wrong password doubles it.
        longest_pause: No pause is longer.
        pairing_tries: Phrases in a row before a pause.
        pairing_pause: How long that pause is.

    """

    issuer: str
    service_name: str
    key: PrivateKey
    accepted_keys: tuple[str, ...]
    seal_key: bytes = field(repr=False)
    prompt_lifetime: timedelta = timedelta(minutes=2)
    login_lifetime: timedelta = timedelta(minutes=30)
    session_lifetime: timedelta = timedelta(hours=12)
    password_tries: int = 5
    first_pause: timedelta = timedelta(seconds=30)
    longest_pause: timedelta = timedelta(minutes=15)
    pairing_tries: int = 5
    pairing_pause: timedelta = timedelta(minutes=5)
