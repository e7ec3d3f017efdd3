"""The e-mails that tell an account's owner what happened."""

from datetime import datetime

from schemas.base import Browser
from schemas.login_messages import EmailDue, EmailKind
from services.login.domain.account import Account


def email_due(  # noqa: PLR0913 - whom, of what, when, where, and its details
    account: Account,
    kind: EmailKind,
    at: datetime,
    browser: Browser | None = None,
    method_name: str = "",
    *,
    identifier: str | None = None,
    left: int | None = None,
) -> tuple[EmailDue, ...]:
    """Return the e-mail that is due; none if the account has no address.

    Args:
        account: The account as it was before.
        kind: What happened.
        at: When.
        browser: Where, if a browser was part of it.
        method_name: Name of the phone or app that it is about.
        identifier: For an enrolment code, what the code follows from.
        left: For a used recovery code, how many are left.

    """
    if not account.email:
        return ()
    due = EmailDue(
        account_id=account.account_id,
        account_name=account.display_name,
        address=account.email,
        kind=kind,
        at=at,
        browser=browser,
        method_name=method_name,
        identifier=identifier,
        left=left,
    )
    return (due,)
