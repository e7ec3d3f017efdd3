"""What Account Manager says to who changes an account: each refusal in plain words, with what to do next."""

from typing import Final

from services.login.domain.rejections import Rejection
from services.login.sign_in.password_policy import WEAKNESS_TEXTS, Weakness
from services.login.web.page_messages import PageMessage

_CHANGES: Final = {
    Rejection.NOT_CONFIRMED: PageMessage(
        "Confirm that it is you", "Before changes, give your second factor once more. Click “Confirm it's you”."
    ),
    Rejection.LAST_METHOD: PageMessage(
        "This is your last method",
        "Without it, no one can sign in, including you. Add another phone or app first, then remove this one.",
    ),
    Rejection.TOO_MANY_METHODS: PageMessage(
        "You have reached the limit", "Remove one that you do not use, then add another."
    ),
    Rejection.PASSWORD_CHANGED: PageMessage("The password has just changed", "Start again with your new password."),
}


def wrong_first_code() -> PageMessage:
    """Return what to say about an app whose first code is wrong."""
    return PageMessage(
        "That code did not match",
        "Scan the QR code, or enter the key in the app once more, then enter the code that the app shows now.",
    )


def change_rejected(rejection: Rejection) -> PageMessage:
    """Return why a change of the account was not made."""
    return _CHANGES.get(rejection, method_gone())


def method_gone() -> PageMessage:
    """Return what to say about a change of what is not there."""
    return PageMessage("That did not work", "It is not there any more; it may have been removed in another window.")


def nameless() -> PageMessage:
    """Return what to say about an empty name."""
    return PageMessage("A name is needed", "Enter one by which you know the phone or app.")


def same_password() -> PageMessage:
    """Return what to say about a new password that is the old one."""
    return PageMessage(
        "Choose another password", "This is your current password. Choose one that you have not used here."
    )


def wrong_old_password() -> PageMessage:
    """Return what to say when the old password does not match."""
    return PageMessage("The current password did not match", "Enter the password that you signed in with.")


def weak_password(weakness: Weakness) -> PageMessage:
    """Return why a new password will not do."""
    return PageMessage("Choose another password", WEAKNESS_TEXTS[weakness])
