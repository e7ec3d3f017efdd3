"""Entries of an account's history."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from schemas.base import Browser, Moment, Text


class Method(StrEnum):
    """The method that approved a login, beside the password.

    PUSH: a challenge to a phone. PHONE_CODE: a code from a paired phone. APP_CODE: a code from an authenticator app.
    RECOVERY_CODE: a recovery code. REMEMBERED: none, the browser was remembered.
    """

    PUSH = "push"
    PHONE_CODE = "phone_code"
    APP_CODE = "app_code"
    RECOVERY_CODE = "recovery_code"
    REMEMBERED = "remembered"


class HistoryKind(StrEnum):
    """What happened."""

    ACCOUNT_CREATED = "account_created"
    SIGNED_IN = "signed_in"
    CONFIRMED = "confirmed"
    SIGNED_OUT = "signed_out"
    SESSION_REVOKED = "session_revoked"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a kind
    PAUSED = "paused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a kind
    WRONG_CODE = "wrong_code"
    CODES_PAUSED = "codes_paused"
    LOGIN_DENIED = "login_denied"
    LOGIN_REPORTED = "login_reported"
    LOGIN_NOT_ANSWERED = "login_not_answered"
    WRONG_NUMBER = "wrong_number"
    PUSH_LOCKED = "push_locked"
    PUSH_UNLOCKED = "push_unlocked"
    PHONE_PAIRED = "phone_paired"
    PAIRING_DECLINED = "pairing_declined"
    PHONE_CHOSEN = "phone_chosen"
    METHOD_RENAMED = "method_renamed"
    PHONE_REMOVED = "phone_removed"
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    BROWSER_REMEMBERED = "browser_remembered"
    BROWSER_FORGOTTEN = "browser_forgotten"
    INVITED = "invited"
    METHODS_RESET = "methods_reset"
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of a kind
    PASSWORD_CLOSED = "password_closed"  # noqa: S105 - the name of a kind
    CODES_CLOSED = "codes_closed"


ATTEMPTS: Final = frozenset(
    {
        HistoryKind.WRONG_PASSWORD,
        HistoryKind.PAUSED,
        HistoryKind.WRONG_CODE,
        HistoryKind.CODES_PAUSED,
        HistoryKind.LOGIN_DENIED,
        HistoryKind.LOGIN_NOT_ANSWERED,
        HistoryKind.WRONG_NUMBER,
        HistoryKind.PAIRING_DECLINED,
    }
)
"""What needs no second factor, so that strangers can cause it as often as the limits let them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """An entry of the history.

    Attributes:
        what: What happened.
        at: When it happened.
        browser: The browser; None if there was none.
        device_name: The phone or app; empty if there was none.
        method: The method that approved the login.
        count: How many times in a row it happened, of which this is the last.

    """

    what: HistoryKind
    at: Moment
    browser: Browser | None = None
    device_name: Text = ""
    method: Method | None = None
    count: int = 1

    def is_like(self, other: "HistoryEntry") -> bool:
        """Return whether another entry says the same of another time."""
        return (self.what, self.browser, self.device_name) == (other.what, other.browser, other.device_name)
