"""How often an account's phones may be asked: what stops whoever has the password from wearing their owner down."""

from datetime import datetime

from services.login.domain.account import Account, Reported
from services.login.domain.limits import Rules


def next_push_at(account: Account, at: datetime, rules: Rules) -> datetime | None:
    """Return when the phone may be asked again, or None if it may be asked now. A report is another matter.

    Args:
        account: The account, settled.
        at: Now.
        rules: The limits.

    """
    push = account.push
    moments = []
    if push.last_denial_at is not None:
        moments.append(rules.refusals.until(push.denials, push.last_denial_at))
    recent = [moment for moment in push.sent if moment > at - rules.prompt_window]
    if len(recent) >= rules.most_prompts:
        moments.append(recent[-rules.most_prompts] + rules.prompt_window)
    later = [moment for moment in moments if moment is not None and moment > at]
    return max(later, default=None)


def sent(account: Account, at: datetime, rules: Rules) -> Account:
    """Return the account with one more request counted."""
    moments = (*account.push.sent, at)[-rules.most_prompts :]
    return account.model_copy(update={"push": account.push.model_copy(update={"sent": moments})})


def count_denial(account: Account, at: datetime) -> Account:
    """Return the account with one more request counted that nobody approved."""
    changes = {"denials": account.push.denials + 1, "last_denial_at": at}
    return account.model_copy(update={"push": account.push.model_copy(update=changes)})


def clear_denials(account: Account) -> Account:
    """Return the account with its refusals forgotten: its owner was there."""
    changes = {"denials": 0, "last_denial_at": None}
    return account.model_copy(update={"push": account.push.model_copy(update=changes)})


def locked(account: Account, reported: Reported) -> Account:
    """Return the account with its phones left in peace until its owner has changed the password."""
    return account.model_copy(update={"push": account.push.model_copy(update={"reported": reported})})


def unlocked(account: Account) -> Account:
    """Return the account whose phones may be asked again."""
    return clear_denials(account.model_copy(update={"push": account.push.model_copy(update={"reported": None})}))
