"""What Account Manager says to who signs in: each refusal and each ending in plain words, with what to do next."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from schemas.contract import PairingFailure
from services.login.domain.login import EndReason, LoginKind
from services.login.domain.rejections import Rejection

MOST_WORDS: Final = 3
MOST_CHARACTERS: Final = 24
MINUTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Names:
    """What the products are called where this runs."""

    product: str
    authenticator: str


@dataclass(frozen=True, slots=True)
class PageMessage:
    """Something that a person is told.

    Attributes:
        title: What happened, in a few words.
        text: What it means and what to do next.
        wait_seconds: How long to wait before the next try, 0 if it can be now.

    """

    title: str
    text: str
    wait_seconds: int = 0


_NEW_PHRASE: Final = "Tap + New Account in {authenticator} for a new phrase"
_SOMEBODY_KNOWS: Final = (
    "If this is your account, somebody else may know its password: "
    "sign in with a verification code and change it, or ask your administrator for help."
)
_ENDED: Final = {
    EndReason.DENIED: PageMessage(
        "Sign-in declined",
        "The request was declined on the phone, so this sign-in has ended. "
        "If you tapped the wrong button, sign in again and approve the next request.",
    ),
    EndReason.WRONG_NUMBER: PageMessage(
        "The number did not match",
        "On the phone, another number was entered than the one that stood here, so this sign-in has ended. "
        "Sign in again, and enter the new number that this page shows then.",
    ),
    EndReason.REPORTED: PageMessage(
        "Sign-in reported",
        "On the phone, this sign-in was answered with “It wasn't me”. To keep the account safe, "
        f"all its waiting sign-ins have ended and all browsers are signed out. {_SOMEBODY_KNOWS}",
    ),
    EndReason.REPORTED_ELSEWHERE: PageMessage(
        "Sign-in stopped",
        "Another sign-in of this account was answered with “It wasn't me” on the phone. To keep the account safe, "
        f"this one has ended as well. {_SOMEBODY_KNOWS}",
    ),
    EndReason.NOT_ANSWERED: PageMessage(
        "No answer from the phone",
        "The request expired before it was answered. Open {authenticator} on your phone, then sign in again.",
    ),
    EndReason.CANCELLED: PageMessage(
        "Sign-in canceled", "This sign-in was canceled before it was complete. You can start again whenever you like."
    ),
    EndReason.TIMED_OUT: PageMessage(
        "This sign-in timed out",
        "A sign-in stays open only for a while, and this one was not completed in that time. "
        "Sign in again to go on; a phone that was paired stays paired.",
    ),
}
_ENDED_WITHIN: Final = {
    EndReason.DENIED: PageMessage(
        "Declined on the phone",
        "Nothing was confirmed. If you tapped the wrong button, go back to your account and try again.",
    ),
    EndReason.WRONG_NUMBER: PageMessage(
        "The number did not match",
        "On the phone, another number was entered than the one that stood here, so nothing was confirmed. "
        "Go back to your account, try again, and enter the new number that is shown then.",
    ),
    EndReason.NOT_ANSWERED: PageMessage(
        "No answer from the phone",
        "The request expired before it was answered, so nothing was confirmed. Open {authenticator} on your phone, "
        "go back to your account and try again.",
    ),
    EndReason.CANCELLED: PageMessage("Canceled", "Nothing was changed. You are still signed in."),
    EndReason.TIMED_OUT: PageMessage(
        "That took too long", "It stays open only for a while. Nothing was changed, and you can start it again."
    ),
}
"""How what somebody began who was signed in already came to its end."""
_PAIRING_FAILED: Final = {
    PairingFailure.UNKNOWN_PHRASE: PageMessage(
        "No phone shows this phrase",
        "Compare both words with your phone and enter them exactly as shown. "
        "If it shows none any more, tap + New Account in {authenticator} for a new one.",
    ),
    PairingFailure.EXPIRED_PHRASE: PageMessage(
        "This phrase has expired", f"A phrase works for a few minutes. {_NEW_PHRASE}, and enter that one here."
    ),
    PairingFailure.USED_PHRASE: PageMessage(
        "This phrase was used already", f"Each phrase works once. {_NEW_PHRASE}, and enter that one here."
    ),
    PairingFailure.DECLINED: PageMessage(
        "Pairing declined",
        "The pairing was declined on the phone, and nothing was paired. "
        f"If you tapped the wrong button, try again. {_NEW_PHRASE}.",
    ),
    PairingFailure.REPORTED: PageMessage(
        "Pairing reported",
        "On the phone, the pairing was answered with “It wasn't me”, and nothing was paired. "
        f"Make sure that the phrase is the one on your own phone. {_NEW_PHRASE} and try again.",
    ),
    PairingFailure.NOT_ANSWERED: PageMessage(
        "The phone did not answer in time",
        "The notification expired before it was accepted, and nothing was paired. "
        f"{_NEW_PHRASE}, enter it here, and accept the notification on the phone.",
    ),
}
_ERRORS: Final = {
    404: PageMessage("Page not found", "There is nothing at this address. The start page leads to where you were."),
    405: PageMessage(
        "Go back and use the button",
        "This page opens only from the button before it. The start page leads to where you were.",
    ),
    413: PageMessage("Too much text", "What was sent is larger than any form here needs. Go back, and enter less."),
    429: PageMessage("One moment, please", "Too many requests came in a short time. Wait a little, then try again."),
    500: PageMessage(
        "Something went wrong here",
        "You did nothing wrong. We have logged the error. Please try again; "
        "if it happens again, talk to your administrator.",
    ),
    503: PageMessage(
        "Temporarily unavailable", "{product} cannot reach its message log. Nothing is lost. Try again in a moment."
    ),
}
_CODES: Final = {
    Rejection.WRONG_CODE: PageMessage(
        "That code did not match",
        "Enter the code as it stands now; it changes every 30 seconds. If it never matches, check that the time on the "
        "phone is set automatically.",
    ),
    Rejection.USED_CODE: PageMessage(
        "This code was used already", "Each code works once. Wait for the next one and enter that."
    ),
}
_PRINTED_CODES: Final = {
    Rejection.WRONG_CODE: PageMessage(
        "That code did not match", "Compare it with your list. Codes of an earlier list do not work any more."
    ),
    Rejection.USED_CODE: PageMessage(
        "This code was used already", "Each code of your list works once. Cross this one out and take the next."
    ),
}


def wrong_password() -> PageMessage:
    """Return the same message for a wrong password and for a name that no account has."""
    return PageMessage("That did not match", "The name or the password is wrong. Check both and try again.")


def password_changed() -> PageMessage:
    """Return what to say when the password was changed while it was being checked."""
    return PageMessage("The password has just changed", "Sign in with the new password.")


def locked(until: datetime, at: datetime) -> PageMessage:
    """Return what to say while no password is taken for an account."""
    seconds = _seconds(until, at)
    return PageMessage(
        "Sign-in is paused",
        "Several passwords in a row did not match. To protect the account, "
        f"the next one is taken in {_duration(seconds)}. If you forgot the password, your administrator can help.",
        seconds,
    )


def address_paused(until: datetime, at: datetime) -> PageMessage:
    """Return what to say while no password is taken from an address."""
    seconds = _seconds(until, at)
    return PageMessage(
        "Sign-in is paused here",
        "Many passwords that came from this network did not match. To protect everybody's accounts, "
        f"the next one is taken from here in {_duration(seconds)}.",
        seconds,
    )


def pairing_paused(until: datetime, at: datetime) -> PageMessage:
    """Return what to say while no phrase is taken for an account."""
    seconds = _seconds(until, at)
    return PageMessage(
        "Pairing is paused",
        "Several phrases in a row did not pair a phone. To protect the account, "
        f"the next one is taken in {_duration(seconds)}. Get a new phrase then; you can leave this page open.",
        seconds,
    )


def code_rejected(
    rejection: Rejection | None, paused_until: datetime | None, at: datetime, *, printed: bool = False
) -> PageMessage | None:
    """Return what became of a code that was entered, or None if nothing is to be said.

    Args:
        rejection: Why it was not taken.
        paused_until: When the next one is taken, if codes are paused.
        at: Now.
        printed: True if it looks like one of a list of recovery codes.

    """
    if rejection is Rejection.CODES_PAUSED and paused_until is not None:
        seconds = _seconds(paused_until, at)
        text = (
            "Several codes in a row did not match. To protect the account, "
            f"the next one is taken in {_duration(seconds)}."
        )
        return PageMessage("Codes are paused", text, seconds)
    codes = _PRINTED_CODES if printed else _CODES
    return None if rejection is None else codes.get(rejection, codes[Rejection.WRONG_CODE])


def wrong_enrolment_code(*, by_mail: bool) -> PageMessage:
    """Return what to say about an enrolment code that does not match.

    Args:
        by_mail: True if it was to come by e-mail.

    """
    source = "in the latest e-mail" if by_mail else "that your administrator gave you"
    text = f"Compare it with the one {source}. A code works once, and only for a while."
    return PageMessage("That code did not match", text)


def too_many_emails() -> PageMessage:
    """Return what to say when no further code is sent by e-mail."""
    return PageMessage(
        "No more e-mails for now",
        "Several codes were sent within the hour. Look for the latest in your mailbox, and among the spam.",
    )


def masked(address: str) -> str:
    """Return an e-mail address so that its owner knows it and nobody else learns it, for example ``z…@example.org``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if domain else ""


def seconds_until(until: datetime, at: datetime) -> int:
    """Return how many whole seconds are left, none if the moment has passed."""
    return max(0, ceil((until - at).total_seconds()))


def unknown_words(words: tuple[str, ...]) -> PageMessage:
    """Return what to say about typed words that no phrase has."""
    shown = [f"“{_shortened(word)}”" for word in words[:MOST_WORDS]]
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    are = "is not a word" if len(shown) == 1 else "are not words"
    return PageMessage("Check the spelling", f"{listed} {are} of any phrase. Compare with what your phone shows.")


def wrong_word_count(count: int) -> PageMessage:
    """Return what to say about a phrase of too few or too many words."""
    entered = "one word was" if count == 1 else f"{count or 'no'} words were"
    return PageMessage("A phrase has two words", f"Here {entered} entered. Enter the two words that your phone shows.")


def pairing_failed(failure: PairingFailure | None, names: Names) -> PageMessage:
    """Return why a pairing came to nothing.

    Args:
        failure: What the pairing service said; None if it said nothing until the time was up.
        names: What the products are called.

    """
    return _filled(_PAIRING_FAILED[failure or PairingFailure.NOT_ANSWERED], names)


def ended(reason: EndReason, kind: LoginKind, names: Names) -> PageMessage:
    """Return how a login ended without what it was for."""
    told = _ENDED[reason] if kind is LoginKind.SIGN_IN else _ENDED_WITHIN.get(reason, _ENDED[reason])
    return _filled(told, names)


def stale_form() -> PageMessage:
    """Return what to say about a form that comes from a page too old, or from elsewhere."""
    return PageMessage(
        "This page was too old",
        "The form came from a page that is not valid any more, so nothing was done. Open the start page and try again.",
    )


def error(status: int, names: Names) -> PageMessage:
    """Return what to say about an HTTP status that is an error."""
    if status == 403:  # noqa: PLR2004 - statuses read best as numbers
        return stale_form()
    return _filled(_ERRORS.get(status, _ERRORS[500]), names)


def _filled(message: PageMessage, names: Names) -> PageMessage:
    text = message.text.format(product=names.product, authenticator=names.authenticator)
    return PageMessage(message.title, text, message.wait_seconds)


def _shortened(word: str) -> str:
    return word if len(word) <= MOST_CHARACTERS else f"{word[: MOST_CHARACTERS - 1]}…"


def _seconds(until: datetime, at: datetime) -> int:
    return max(1, ceil((until - at).total_seconds()))


def _duration(seconds: int) -> str:
    """Return a duration as people say it, never shorter than it is."""
    count, unit = (seconds, "second") if seconds < MINUTE_SECONDS else (-(-seconds // MINUTE_SECONDS), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
