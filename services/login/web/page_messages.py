"""Account Manager's messages: what happened, and what to do next."""

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
    """The products' names."""

    product: str
    authenticator: str


@dataclass(frozen=True, slots=True)
class PageMessage:
    """A message on a page.

    Attributes:
        title: What happened, in a few words.
        text: What it means and what to do next.
        wait_seconds: How long to wait before the next try; 0 for no wait.

    """

    title: str
    text: str
    wait_seconds: int = 0


_NEW_PHRASE: Final = "Tap + New Account in {authenticator} for a new phrase"
_COMPROMISED: Final = (
    "If this is your account, someone else may know its password. "
    "Sign in with a verification code and change it, or ask your administrator for help."
)
_ENDED: Final = {
    EndReason.DENIED: PageMessage(
        "Sign-in declined",
        "The request was declined on the phone, so this sign-in has ended. "
        "If you tapped the wrong button, sign in again and approve the next request.",
    ),
    EndReason.WRONG_NUMBER: PageMessage(
        "The number did not match",
        "The number entered on the phone was wrong, so this sign-in has ended. Sign in again and enter the new number.",
    ),
    EndReason.REPORTED: PageMessage(
        "Sign-in reported",
        "This sign-in was reported on the phone with “It wasn't me”. To keep the account safe, "
        f"we ended all its sign-ins and signed out all browsers. {_COMPROMISED}",
    ),
    EndReason.REPORTED_ELSEWHERE: PageMessage(
        "Sign-in stopped",
        "Another sign-in of this account was reported on the phone with “It wasn't me”. To keep the account safe, "
        f"we ended this one too. {_COMPROMISED}",
    ),
    EndReason.NOT_ANSWERED: PageMessage(
        "No answer from the phone",
        "The request expired before it was answered. Open {authenticator} on your phone, then sign in again.",
    ),
    EndReason.CANCELLED: PageMessage(
        "Sign-in canceled", "This sign-in was canceled before it was complete. You can sign in again at any time."
    ),
    EndReason.TIMED_OUT: PageMessage(
        "This sign-in timed out",
        "A sign-in stays open only for a while. Sign in again to continue; a phone that you paired stays paired.",
    ),
}
_ENDED_IN_SESSION: Final = {
    EndReason.DENIED: PageMessage(
        "Declined on the phone",
        "Nothing was confirmed. If you tapped the wrong button, go back to your account and try again.",
    ),
    EndReason.WRONG_NUMBER: PageMessage(
        "The number did not match",
        "The number entered on the phone was wrong, so nothing was confirmed. "
        "Go back to your account, try again and enter the new number.",
    ),
    EndReason.NOT_ANSWERED: PageMessage(
        "No answer from the phone",
        "The request expired before it was answered, so nothing was confirmed. Open {authenticator} on your phone, "
        "then go back to your account and try again.",
    ),
    EndReason.CANCELLED: PageMessage("Canceled", "Nothing was changed. You are still signed in."),
    EndReason.TIMED_OUT: PageMessage(
        "That took too long", "A confirmation stays open only for a while. Nothing was changed. You can start again."
    ),
}
"""The messages for a confirmation, and for pairing a further phone."""
_PAIRING_FAILED: Final = {
    PairingFailure.UNKNOWN_PHRASE: PageMessage(
        "No phone shows this phrase",
        "Compare both words with your phone and enter them exactly as shown. "
        "If your phone no longer shows one, tap + New Account in {authenticator} for a new one.",
    ),
    PairingFailure.EXPIRED_PHRASE: PageMessage(
        "This phrase has expired", f"A phrase works for a few minutes. {_NEW_PHRASE}, then enter it here."
    ),
    PairingFailure.USED_PHRASE: PageMessage(
        "This phrase was already used", f"Each phrase works once. {_NEW_PHRASE}, then enter it here."
    ),
    PairingFailure.DECLINED: PageMessage(
        "Pairing declined",
        "The pairing was declined on the phone, and nothing was paired. "
        f"If you tapped the wrong button, try again. {_NEW_PHRASE}.",
    ),
    PairingFailure.REPORTED: PageMessage(
        "Pairing reported",
        "The pairing was reported on the phone with “It wasn't me”, and nothing was paired. "
        f"Make sure that you enter the phrase from your own phone. {_NEW_PHRASE} and try again.",
    ),
    PairingFailure.NOT_ANSWERED: PageMessage(
        "The phone did not answer in time",
        "The notification expired before it was accepted, and nothing was paired. "
        f"{_NEW_PHRASE}, enter it here and accept the notification on the phone.",
    ),
}
_ERRORS: Final = {
    404: PageMessage(
        "Page not found", "There is no page at this address. The start page takes you back to where you were."
    ),
    405: PageMessage(
        "Go back and use the button",
        "This page opens only from a button. The start page takes you back to where you were.",
    ),
    413: PageMessage("Too much text", "That is more than this form accepts. Go back and enter less."),
    429: PageMessage(
        "One moment, please", "There were too many requests in a short time. Wait a moment, then try again."
    ),
    500: PageMessage(
        "Something went wrong here",
        "It's not your fault, and we have logged the error. Try again. If it happens again, ask your administrator.",
    ),
    503: PageMessage(
        "Temporarily unavailable", "{product} can't process requests right now. Nothing is lost. Try again in a moment."
    ),
}
_CODES: Final = {
    Rejection.WRONG_CODE: PageMessage(
        "That code did not match",
        "Enter the current code; it changes every 30 seconds. If it never matches, check that your phone sets its time "
        "automatically.",
    ),
    Rejection.USED_CODE: PageMessage(
        "This code was already used", "Each code works once. Wait for the next one and enter it."
    ),
}
_PRINTED_CODES: Final = {
    Rejection.WRONG_CODE: PageMessage(
        "That code did not match", "Compare it with your list. Codes from an earlier list no longer work."
    ),
    Rejection.USED_CODE: PageMessage(
        "This code was already used", "Each code on your list works once. Cross this one out and enter the next."
    ),
}


def wrong_password() -> PageMessage:
    """Return the same message for a wrong password and for a name that no account has."""
    return PageMessage("That did not match", "The name or the password is wrong. Check both and try again.")


def password_changed() -> PageMessage:
    """Return the message for a password that was changed while it was checked."""
    return PageMessage("The password has just changed", "Sign in with the new password.")


def locked(until: datetime, at: datetime) -> PageMessage:
    """Return the message for a pause of an account's passwords."""
    seconds = max(1, seconds_until(until, at))
    return PageMessage(
        "Sign-in is paused",
        "There were several wrong passwords in a row. To protect the account, "
        f"you can try again in {_duration(seconds)}. If you forgot the password, ask your administrator.",
        seconds,
    )


def too_many_sign_ins(until: datetime, at: datetime) -> PageMessage:
    """Return the message for too many sign-ins that were begun and not completed."""
    seconds = max(1, seconds_until(until, at))
    return PageMessage(
        "Many sign-ins in a short time",
        f"Several sign-ins to this account were begun and not completed. You can try again in {_duration(seconds)}.",
        seconds,
    )


def address_paused(until: datetime, at: datetime) -> PageMessage:
    """Return the message for a pause of an address."""
    seconds = max(1, seconds_until(until, at))
    return PageMessage(
        "Sign-in is paused here",
        "There were many wrong passwords from this network. To protect all accounts, "
        f"you can try again from here in {_duration(seconds)}.",
        seconds,
    )


def pairing_paused(until: datetime, at: datetime) -> PageMessage:
    """Return the message for a pause of an account's phrases."""
    seconds = max(1, seconds_until(until, at))
    return PageMessage(
        "Pairing is paused",
        "Several phrases in a row did not pair a phone. To protect the account, "
        f"you can try again in {_duration(seconds)}. Leave this page open, and get a new phrase then.",
        seconds,
    )


def code_rejected(
    rejection: Rejection | None, paused_until: datetime | None, at: datetime, *, printed: bool = False
) -> PageMessage | None:
    """Return the message for a rejected code, or None if there is no rejection.

    Args:
        rejection: Why the code was rejected.
        paused_until: The end of the pause, if codes are paused.
        at: Now.
        printed: True if the code looks like a recovery code.

    """
    if rejection is Rejection.CODES_PAUSED and paused_until is not None:
        seconds = max(1, seconds_until(paused_until, at))
        text = (
            "There were several wrong codes in a row. To protect the account, "
            f"you can try again in {_duration(seconds)}."
        )
        return PageMessage("Codes are paused", text, seconds)
    if rejection is Rejection.CODES_CLOSED:
        text = "There were too many wrong codes. Sign in by another method, or ask your administrator."
        return PageMessage("These codes are closed", text)
    codes = _PRINTED_CODES if printed else _CODES
    return None if rejection is None else codes.get(rejection, codes[Rejection.WRONG_CODE])


def wrong_enrolment_code(*, by_mail: bool) -> PageMessage:
    """Return the message for a wrong enrolment code, sent by e-mail or handed out by an administrator."""
    source = "in the latest e-mail" if by_mail else "from your administrator"
    text = f"Compare it with the code {source}. A code works once, and only for a while."
    return PageMessage("That code did not match", text)


def too_many_emails() -> PageMessage:
    """Return the message for too many enrolment codes by e-mail."""
    return PageMessage(
        "No more e-mails for now",
        "We sent you several codes within the hour. Look for the latest one in your inbox and your spam folder.",
    )


def masked(address: str) -> str:
    """Return an e-mail address with its name masked, for example ``z…@example.org``."""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}" if domain else ""


def seconds_until(until: datetime, at: datetime) -> int:
    """Return the whole seconds until a moment, rounded up; 0 if it has passed."""
    return max(0, ceil((until - at).total_seconds()))


def unknown_words(words: tuple[str, ...]) -> PageMessage:
    """Return the message for typed words that are in no phrase."""
    shown = [f"“{_shortened(word)}”" for word in words[:MOST_WORDS]]
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    are = "is not a word" if len(shown) == 1 else "are not words"
    return PageMessage("Check the spelling", f"{listed} {are} of any phrase. Compare with the words on your phone.")


def wrong_word_count(count: int) -> PageMessage:
    """Return the message for a phrase of too few or too many words."""
    entered = "one word" if count == 1 else f"{count or 'no'} words"
    return PageMessage("A phrase has two words", f"You entered {entered}. Enter the two words that your phone shows.")


def pairing_failed(failure: PairingFailure | None, names: Names) -> PageMessage:
    """Return the message for a failed pairing; without a failure, the phone did not answer in time."""
    return _filled(_PAIRING_FAILED[failure or PairingFailure.NOT_ANSWERED], names)


def ended(reason: EndReason, kind: LoginKind, names: Names) -> PageMessage:
    """Return the message for a login that ended without approval."""
    message = _ENDED[reason] if kind is LoginKind.SIGN_IN else _ENDED_IN_SESSION.get(reason, _ENDED[reason])
    return _filled(message, names)


def stale_form() -> PageMessage:
    """Return the message for a form without a valid CSRF token."""
    return PageMessage(
        "This page has expired",
        "The form came from a page that is no longer valid, so nothing was changed. Open the start page and try again.",
    )


def error(status: int, names: Names) -> PageMessage:
    """Return the message for an HTTP error status."""
    if status == 403:  # noqa: PLR2004 - statuses read best as numbers
        return stale_form()
    return _filled(_ERRORS.get(status, _ERRORS[500]), names)


def _filled(message: PageMessage, names: Names) -> PageMessage:
    text = message.text.format(product=names.product, authenticator=names.authenticator)
    return PageMessage(message.title, text, message.wait_seconds)


def _shortened(word: str) -> str:
    return word if len(word) <= MOST_CHARACTERS else f"{word[: MOST_CHARACTERS - 1]}…"


def _duration(seconds: int) -> str:
    """Return a duration for people, rounded up."""
    count, unit = (seconds, "second") if seconds < MINUTE_SECONDS else (-(-seconds // MINUTE_SECONDS), "minute")
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
