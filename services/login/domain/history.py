"""What an account's history tells its owner."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.base import Browser, Moment, Text


class Method(StrEnum):
    """By what a login was completed, beside the password.

    PUSH: the request on the phone. PHONE_CODE: a code that a paired phone shows. APP_CODE: a code of an authenticator
    app. RECOVERY_CODE: one of the printed codes. REMEMBERED: the browser was remembered.
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
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a happening
    PAUSED = "paused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a happening
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """Something that happened, for the account's owner to read.

    Attributes:
        what: What.
        at: When.
        browser: Where; None where no browser was part of it.
        device_name: Name of the phone or app that it is about, empty if about none.
        method: By what a login was completed.

    """

    what: HistoryKind
    at: Moment
    browser: Browser | None = None
    device_name: Text = ""
    method: Method | None = None
