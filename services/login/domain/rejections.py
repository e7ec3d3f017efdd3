"""Why a command is rejected. A rejection is an expected outcome, not an exception."""

from enum import StrEnum


class Rejection(StrEnum):
    """Why a command or an answer changes nothing; the web side has a page for each that a person meets.

    ACCOUNT_EXISTS: the name is taken. NO_LOGIN, NO_SESSION: it is over or was never there. NOT_CONFIRMED: the session
    has not given the second factor lately. NOT_NOW: the login is in another state. LATE and UNKNOWN: an answer to a
    challenge that is over, or that was never sent. TOO_LATE: a pairing that no login waits for any more.
    """

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
    TOO_MANY_EMAILS = "too_many_emails"
    LATE = "late"
    UNKNOWN = "unknown"
    TOO_LATE = "too_late"
