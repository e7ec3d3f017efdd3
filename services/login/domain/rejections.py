"""Rejections of commands and answers: expected outcomes, not exceptions."""

from enum import StrEnum


class Rejection(StrEnum):
    """Why a command or an answer is rejected.

    CLOSED, CODES_CLOSED: there were too many failures in a row; another method or an administrator opens it. The web
    side answers CLOSED as a wrong password. NO_LOGIN, NO_SESSION: it is over or does not exist. NOT_CONFIRMED: the
    session has no recent second factor. NOT_NOW: the login is in another state. LATE, UNKNOWN: the answered challenge
    is over, or was never sent. TOO_LATE: no login waits for the pairing any longer. CHANGED: the account has changed
    since the administrator saw it.
    """

    UNKNOWN_ACCOUNT = "unknown_account"
    NAME_TAKEN = "name_taken"
    LOCKED = "locked"
    CLOSED = "closed"
    TOO_MANY_SIGN_INS = "too_many_sign_ins"
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
    CODES_CLOSED = "codes_closed"
    PASSWORD_CHANGE_DUE = "password_change_due"  # noqa: S105 - a reason
    UNKNOWN_METHOD = "unknown_method"
    LAST_METHOD = "last_method"
    TOO_MANY_METHODS = "too_many_methods"
    TOO_MANY_EMAILS = "too_many_emails"
    LATE = "late"
    UNKNOWN = "unknown"
    TOO_LATE = "too_late"
    CHANGED = "changed"
