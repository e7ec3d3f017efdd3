"""Messages for rejected changes of an account."""

from typing import Final

from schemas.base import NAME_CHARACTERS
from services.login.domain.rejections import Rejection
from services.login.sign_in.password_policy import WEAKNESS_TEXTS, Weakness
from services.login.web.page_messages import PageMessage

_CHANGES: Final = {
    Rejection.NOT_CONFIRMED: PageMessage(
        "Confirm that it's you", "Click “Confirm it's you”, then make your change again."
    ),
    Rejection.LAST_METHOD: PageMessage(
        "This is your last method",
        "Without it, no one can sign in, including you. Add another phone or app first, then remove this one.",
    ),
    Rejection.TOO_MANY_METHODS: PageMessage(
        "You have reached the limit", "Remove one that you don't use, then add another."
    ),
    Rejection.PASSWORD_CHANGE_DUE: PageMessage("Change your password first", "Then you can make other changes."),
    Rejection.PASSWORD_CHANGED: PageMessage("The password has just changed", "Start again with your new password."),
}


def wrong_first_code() -> PageMessage:
    """Return the message for an app whose first code is wrong."""
    return PageMessage(
        "That code did not match",
        "Scan the QR code again, or enter the key again, then enter the code that the app shows now.",
    )


def change_rejected(rejection: Rejection) -> PageMessage:
    """Return the message for a rejected change."""
    return _CHANGES.get(rejection, method_gone())


def method_gone() -> PageMessage:
    """Return the message for a change of something that no longer exists."""
    return PageMessage("That did not work", "It no longer exists. It may have been removed in another window.")


def bad_name() -> PageMessage:
    """Return the message for a name that is empty or cannot be shown."""
    return PageMessage("A name is needed", f"Enter 1 to {NAME_CHARACTERS} letters, digits and visible marks.")


def same_password() -> PageMessage:
    """Return the message for a new password that is the current one."""
    return PageMessage("Choose another password", "This is your current password. Choose a new one.")


def wrong_old_password() -> PageMessage:
    """Return the message for a wrong current password."""
    return PageMessage("The current password did not match", "Enter the password that you signed in with.")


def weak_password(weakness: Weakness) -> PageMessage:
    """Return the message for a rejected new password."""
    return PageMessage("Choose another password", WEAKNESS_TEXTS[weakness])
