"""Lines of the account's history, for its owner."""

from dataclasses import dataclass
from typing import Final

from services.login.domain.history import HistoryEntry, HistoryKind, Method


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of the account's history.

    Attributes:
        text: What happened.
        at: When, ISO 8601.
        where: Browser, system and address; empty where no browser was part of it.

    """

    text: str
    at: str
    where: str


_TEXTS: Final = {
    HistoryKind.ACCOUNT_CREATED: "Account created",
    HistoryKind.SIGNED_IN: "Signed in, {by}",
    HistoryKind.CONFIRMED: "Confirmed before a change, {by}",
    HistoryKind.SIGNED_OUT: "Signed out",
    HistoryKind.SESSION_REVOKED: "Signed out from another browser",
    HistoryKind.WRONG_PASSWORD: "Wrong password",
    HistoryKind.PAUSED: "Sign-in paused after several wrong passwords",
    HistoryKind.PASSWORD_CHANGED: "Password changed, other browsers signed out",
    HistoryKind.WRONG_CODE: "Wrong code",
    HistoryKind.CODES_PAUSED: "Codes paused after several wrong ones",
    HistoryKind.LOGIN_DENIED: "Sign-in declined on {device}",
    HistoryKind.LOGIN_REPORTED: "Sign-in reported on {device}: “It wasn't me”",
    HistoryKind.LOGIN_NOT_ANSWERED: "Sign-in not answered on {device}",
    HistoryKind.WRONG_NUMBER: "Wrong number entered on {device}",
    HistoryKind.PUSH_LOCKED: "Requests to phones stopped, all browsers signed out",
    HistoryKind.PUSH_UNLOCKED: "Requests to phones allowed again",
    HistoryKind.PHONE_PAIRED: "Paired {device}",
    HistoryKind.PAIRING_DECLINED: "Pairing declined on the phone",
    HistoryKind.PHONE_CHOSEN: "{device} is now asked first",
    HistoryKind.METHOD_RENAMED: "Renamed to {device}",
    HistoryKind.PHONE_REMOVED: "Removed {device}",
    HistoryKind.APP_ADDED: "Added {device}",
    HistoryKind.APP_REMOVED: "Removed {device}",
    HistoryKind.RECOVERY_CODES_MADE: "New recovery codes made",
    HistoryKind.RECOVERY_CODE_USED: "A recovery code was used",
    HistoryKind.BROWSER_REMEMBERED: "Browser remembered",
    HistoryKind.BROWSER_FORGOTTEN: "Browser forgotten",
    HistoryKind.INVITED: "Enrolment code issued by an administrator",
    HistoryKind.PASSWORD_SET: "Password set by an administrator, all browsers signed out",
    HistoryKind.PASSWORD_CLOSED: "Password closed after too many wrong ones, until the next sign-in in a known browser",
    HistoryKind.CODES_CLOSED: "Codes closed after too many wrong ones, until a sign-in by another method",
    HistoryKind.METHODS_RESET: "All sign-in methods removed by an administrator",
}
_METHODS: Final = {
    Method.PUSH: "approved on {device}",
    Method.PHONE_CODE: "with a code from {device}",
    Method.APP_CODE: "with a code from {device}",
    Method.RECOVERY_CODE: "with a recovery code",
    Method.REMEMBERED: "in a remembered browser",
}


def history_line(entry: HistoryEntry) -> HistoryLine:
    """Return the line of a history entry."""
    where = "" if entry.browser is None else f"{entry.browser.name}, {entry.browser.address}"
    if entry.browser is not None and entry.browser.place:
        where = f"{where}, {entry.browser.place}"
    device = entry.device_name or "the phone"
    by = _METHODS[entry.method or Method.PUSH].format(device=device)
    text = _TEXTS[entry.what].format(device=device, by=by)
    return HistoryLine(text if entry.count == 1 else f"{text}, {entry.count} times", entry.at.isoformat(), where)
