"""What Account Manager says: each refusal, each ending and each happening in plain words, with what to do next."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from schemas.contract import PairingFailure
from services.login.domain.happenings import Happening, HistoryEntry
from services.login.domain.logins import EndReason

MOST_WORDS: Final = 3
MOST_CHARACTERS: Final = 24
MINUTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Names:
    """What the products are called where this runs."""

    product: str
    authenticator: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person is told.

    Attributes:
        title: What happened, in a few words.
        text: What it means and what to do next.
        wait_seconds: How long to wait before the next try, 0 if it can be now.

    """

    title: str
    text: str
    wait_seconds: int = 0


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


_NEW_PHRASE: Final = "Tap + New Account in {authenticator} for a new phrase"
_SOMEBODY_KNOWS: Final = (
    "If this is your account, somebody else may know its password: "
    "change it, or ask your administrator to, before you sign in again."
)
_ENDED: Final = {
    EndReason.DENIED: Notice(
        "Sign-in declined",
        "The request was declined on the phone, so this sign-in has ended. "
        "Was it a slip? Sign in again and approve the next request.",
    ),
    EndReason.REPORTED: Notice(
        "Sign-in reported",
        "On the phone, this sign-in was answered with “It wasn't me”. To keep the account safe, "
        f"all its waiting sign-ins have ended. {_SOMEBODY_KNOWS}",
    ),
    EndReason.REPORTED_ELSEWHERE: Notice(
        "Sign-in stopped",
        "Another sign-in of this account was answered with “It wasn't me” on the phone. To keep the account safe, "
        f"this one has ended as well. {_SOMEBODY_KNOWS}",
    ),
    EndReason.NOT_ANSWERED: Notice(
        "No answer from the phone",
        "The request ran out before it was answered. Open {authenticator} on your phone, then sign in again.",
    ),
    EndReason.CANCELLED: Notice(
        "Sign-in canceled", "This sign-in was canceled before it was complete. You can start again whenever you like."
    ),
    EndReason.TIMED_OUT: Notice(
        "This sign-in ran out",
        "A sign-in stays open only for a while, and this one was not completed in that time. "
        "Sign in again to go on; a phone that was paired stays paired.",
    ),
}
_PAIRING_FAILED: Final = {
    PairingFailure.UNKNOWN_PHRASE: Notice(
        "No phone shows this phrase",
        "Compare both words with your phone and enter them as they stand there. "
        "If it shows none any more, tap + New Account in {authenticator} for a new one.",
    ),
    PairingFailure.EXPIRED_PHRASE: Notice(
        "This phrase has run out", f"A phrase works for a few minutes. {_NEW_PHRASE}, and enter that one here."
    ),
    PairingFailure.USED_PHRASE: Notice(
        "This phrase was used already", f"Each phrase works once. {_NEW_PHRASE}, and enter that one here."
    ),
    PairingFailure.DECLINED: Notice(
        "Pairing declined",
        f"The pairing was declined on the phone, and nothing was paired. Was it a slip? {_NEW_PHRASE} and try again.",
    ),
    PairingFailure.REPORTED: Notice(
        "Pairing reported",
        "On the phone, the pairing was answered with “It wasn't me”, and nothing was paired. "
        f"Make sure that the phrase is the one on your own phone. {_NEW_PHRASE} and try again.",
    ),
    PairingFailure.NOT_ANSWERED: Notice(
        "The phone did not answer in time",
        "The notification ran out before it was accepted, and nothing was paired. "
        f"{_NEW_PHRASE}, enter it here, and accept the notification on the phone.",
    ),
}
_ERRORS: Final = {
    404: Notice("Page not found", "There is nothing at this address. The start page leads to where you were."),
    405: Notice(
        "Not this way", "This step is reached by the button before it. The start page leads to where you were."
    ),
    413: Notice("Too much text", "What was sent is larger than any form here needs. Go back, and enter less."),
    429: Notice("One moment, please", "Too many requests came in a short time. Wait a little, then try again."),
    500: Notice(
        "Something went wrong here",
        "It is not your doing, and it has been written to the log. Please try again; "
        "if it happens again, talk to your administrator.",
    ),
    503: Notice("Back in a moment", "{product} cannot reach its event log just now. Nothing is lost."),
}
_HAPPENINGS: Final = {
    Happening.ACCOUNT_CREATED: "Account created",
    Happening.SIGNED_IN: "Signed in, approved on {device}",
    Happening.SIGNED_OUT: "Signed out",
    Happening.WRONG_PASSWORD: "Wrong password",
    Happening.PAUSED: "Sign-in paused after several wrong passwords",
    Happening.LOGIN_DENIED: "Sign-in declined on {device}",
    Happening.LOGIN_REPORTED: "Sign-in reported on {device}: “It wasn't me”",
    Happening.LOGIN_NOT_ANSWERED: "Sign-in not answered on {device}",
    Happening.PHONE_PAIRED: "Paired {device}",
    Happening.PAIRING_DECLINED: "Pairing declined on the phone",
}


def wrong_password() -> Notice:
    """Return the same notice for a wrong password and for a name that no account has."""
    return Notice("That did not match", "This name and password do not belong together. Check both and try again.")


def password_changed() -> Notice:
    """Return what to say when the password was changed while it was being checked."""
    return Notice("The password has just changed", "Sign in with the new password.")


def locked(until: datetime, at: datetime) -> Notice:
    """Return what to say while no password is taken for an account."""
    seconds = _seconds(until, at)
    return Notice(
        "Sign-in is paused",
        "Several passwords in a row did not match. To protect the account, "
        f"the next one is taken in {_duration(seconds)}. If you forgot the password, your administrator can help.",
        seconds,
    )


def pairing_paused(until: datetime, at: datetime) -> Notice:
    """Return what to say while no phrase is taken for an account."""
    seconds = _seconds(until, at)
    return Notice(
        "Pairing is paused",
        "Several phrases in a row did not pair a phone. To protect the account, "
        f"the next one is taken in {_duration(seconds)}. Get a new phrase then; you can leave this page open.",
        seconds,
    )


def unknown_words(words: tuple[str, ...]) -> Notice:
    """Return what to say about typed words that no phrase has."""
    shown = [f"“{_shortened(word)}”" for word in words[:MOST_WORDS]]
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    are = "is not a word" if len(shown) == 1 else "are not words"
    return Notice("Check the spelling", f"{listed} {are} of any phrase. Compare with what your phone shows.")


def wrong_word_count(count: int) -> Notice:
    """Return what to say about a phrase of too few or too many words."""
    entered = "one word was" if count == 1 else f"{count or 'no'} words were"
    return Notice("A phrase has two words", f"Here {entered} entered. Enter the two words that your phone shows.")


def pairing_failed(failure: PairingFailure | None, names: Names) -> Notice:
    """Return why a pairing came to nothing.

    Args:
        failure: What the pairing service said; None if it said nothing until the time was up.
        names: What the products are called.

    """
    return _filled(_PAIRING_FAILED[failure or PairingFailure.NOT_ANSWERED], names)


def ended(reason: EndReason, names: Names) -> Notice:
    """Return how a login ended without a session."""
    return _filled(_ENDED[reason], names)


def stale_form() -> Notice:
    """Return what to say about a form that comes from a page too old, or from elsewhere."""
    return Notice(
        "This page was too old",
        "The form came from a page that is not valid any more, so nothing was done. Open the start page and try again.",
    )


def error(status: int, names: Names) -> Notice:
    """Return what to say about an HTTP status that is an error."""
    if status == 403:  # noqa: PLR2004 - statuses read best as numbers
        return stale_form()
    return _filled(_ERRORS.get(status, _ERRORS[500]), names)


def history_line(entry: HistoryEntry) -> HistoryLine:
    """Return a history entry in words."""
    where = "" if entry.browser is None else f"{entry.browser.name}, {entry.browser.address}"
    text = _HAPPENINGS[entry.what].format(device=entry.device_name or "the phone")
    return HistoryLine(text, entry.at.isoformat(), where)


def _filled(notice: Notice, names: Names) -> Notice:
    text = notice.text.format(product=names.product, authenticator=names.authenticator)
    return Notice(notice.title, text, notice.wait_seconds)


def _shortened(word: str) -> str:
    return word if len(word) <= MOST_CHARACTERS else f"{word[: MOST_CHARACTERS - 1]}…"


def _seconds(until: datetime, at: datetime) -> int:
    return max(1, ceil((until - at).total_seconds()))


def _duration(seconds: int) -> str:
    """Return a duration as people say it, never shorter than it is."""
    count, unit = (seconds, "second") if seconds < MINUTE_SECONDS else (-(-seconds // MINUTE_SECONDS), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
