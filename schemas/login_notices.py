"""What the owner of an account shall hear by e-mail. Private to the login service."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Identifier, Message, Moment, Text
from schemas.topics import LOGIN_EMAILS, Topic


class EmailKind(StrEnum):
    """What it is about."""

    ENROLMENT_CODE = "enrolment_code"
    PHONE_PAIRED = "phone_paired"
    PHONE_REMOVED = "phone_removed"
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an e-mail
    SIGN_IN_REPORTED = "sign_in_reported"
    METHODS_RESET = "methods_reset"


class EmailDue(Message):
    """Something happened that the account's owner shall hear of by e-mail.

    Attributes:
        account_id: The account.
        account_name: Its name as its owner reads it.
        address: The e-mail address.
        kind: What happened.
        at: When.
        browser: Where; None where no browser was part of it.
        method_name: Name of the phone or app that it is about, empty if about none.
        identifier: For an enrolment code, what the code follows from; the code itself is in the e-mail alone.
        left: For a used recovery code, how many are left.

    """

    topic: ClassVar[Topic] = LOGIN_EMAILS
    type: ClassVar[str] = "countersign.login.email_due.v1"

    account_id: Identifier
    account_name: Text
    address: Text = Field(repr=False)
    kind: EmailKind
    at: Moment
    browser: Browser | None = None
    method_name: Text = ""
    identifier: Identifier | None = None
    left: int | None = None

    @property
    def key(self) -> str:
        """Return the account id: the emails of an account go out in order."""
        return self.account_id
