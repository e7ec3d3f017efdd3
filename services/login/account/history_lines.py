"""The account's history, as its owner reads it."""

from dataclasses import dataclass
from typing import Final

from services.login.domain.history import Happening, HistoryEntry, Method


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


_HAPPENINGS: Final = {
    Happening.ACCOUNT_CREATED: "Account created",
    Happening.SIGNED_IN: "Signed in, {by}",
    Happening.CONFIRMED: "Confirmed before a change, {by}",
    Happening.SIGNED_OUT: "Signed out",
    Happening.SESSION_REVOKED: "Signed out from another browser",
    Happening.WRONG_PASSWORD: "Wrong password",
    Happening.PAUSED: "Sign-in paused after several wrong passwords",
    Happening.PASSWORD_CHANGED: "Password changed, other browsers signed out",
    Happening.WRONG_CODE: "Wrong code",
    Happening.CODES_PAUSED: "Codes paused after several wrong ones",
    Happening.LOGIN_DENIED: "Sign-in declined on {device}",
    Happening.LOGIN_REPORTED: "Sign-in reported on {device}: “It wasn't me”",
    Happening.LOGIN_NOT_ANSWERED: "Sign-in not answered on {device}",
    Happening.WRONG_NUMBER: "Sign-in ended: a wrong number was entered on {device}",
    Happening.PUSH_LOCKED: "Requests to phones stopped, all browsers signed out",
    Happening.PUSH_UNLOCKED: "Requests to phones allowed again",
    Happening.PHONE_PAIRED: "Paired {device}",
    Happening.PAIRING_DECLINED: "Pairing declined on the phone",
    Happening.PHONE_CHOSEN: "{device} is asked first from now on",
    Happening.METHOD_RENAMED: "Renamed to {device}",
    Happening.PHONE_REMOVED: "Removed {device}",
    Happening.APP_ADDED: "Added {device}",
    Happening.APP_REMOVED: "Removed {device}",
    Happening.RECOVERY_CODES_MADE: "New recovery codes made",
    Happening.RECOVERY_CODE_USED: "A recovery code was used",
    Happening.BROWSER_REMEMBERED: "Browser remembered",
    Happening.BROWSER_FORGOTTEN: "Browser forgotten",
    Happening.INVITED: "Enrolment code issued by an administrator",
    Happening.METHODS_RESET: "All sign-in methods removed by an administrator",
}
_METHODS: Final = {
    Method.PUSH: "approved on {device}",
    Method.PHONE_CODE: "by a code of {device}",
    Method.APP_CODE: "by a code of {device}",
    Method.RECOVERY_CODE: "by a recovery code",
    Method.REMEMBERED: "in a remembered browser",
}


def history_line(entry: HistoryEntry) -> HistoryLine:
    """Return a history entry in words."""
    where = "" if entry.browser is None else f"{entry.browser.name}, {entry.browser.address}"
    if entry.browser is not None and entry.browser.place:
        where = f"{where}, {entry.browser.place}"
    device = entry.device_name or "the phone"
    by = _METHODS[entry.method or Method.PUSH].format(device=device)
    return HistoryLine(_HAPPENINGS[entry.what].format(device=device, by=by), entry.at.isoformat(), where)
