"""E-mails to an account's owner."""

from datetime import datetime

from schemas.base import Browser
from schemas.login_messages import EmailDue, EmailKind
from services.login.domain.account import Account


def email_due(  # noqa: PLR0913 - an e-mail's facts
    account: Account,
    kind: EmailKind,
    at: datetime,
    browser: Browser | None = None,
    method_name: str = "",
    *,
    identifier: str | None = None,
    left: int | None = None,
) -> tuple[EmailDue, ...]:
    """Return the e-mail that is due, or nothing if the account has no address.

    Args:
        account: The account before the change.
        kind: What happened.
        at: When it happened.
        browser: The browser, if it happened in one.
        method_name: The name of the phone or app.
        identifier: For an enrolment code: the id that the code is derived from.
        left: For a used recovery code: how many are left.

    """
    if not account.email:
        return ()
    due = EmailDue(
        account_id=account.account_id,
        account_name=account.display_name,
        sign_in_name=account.name,
        address=account.email,
        kind=kind,
        at=at,
        browser=browser,
        method_name=method_name,
        identifier=identifier,
        left=left,
    )
    return (due,)
