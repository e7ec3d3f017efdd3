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
    if push.last_refusal_at is not None:
        moments.append(rules.refusals.until(push.refusals, push.last_refusal_at))
    recent = [moment for moment in push.sent if moment > at - rules.prompt_window]
    if len(recent) >= rules.most_prompts:
        moments.append(recent[-rules.most_prompts] + rules.prompt_window)
    later = [moment for moment in moments if moment is not None and moment > at]
    return max(later, default=None)


def sent(account: Account, at: datetime, rules: Rules) -> Account:
    """Return the account with one more request counted."""
    moments = (*account.push.sent, at)[-rules.most_prompts :]
    return account.model_copy(update={"push": account.push.model_copy(update={"sent": moments})})


def refused(account: Account, at: datetime) -> Account:
    """Return the account with one more request counted that nobody approved."""
    changes = {"refusals": account.push.refusals + 1, "last_refusal_at": at}
    return account.model_copy(update={"push": account.push.model_copy(update=changes)})


def trusted_again(account: Account) -> Account:
    """Return the account with its refusals forgotten: its owner was there."""
    changes = {"refusals": 0, "last_refusal_at": None}
    return account.model_copy(update={"push": account.push.model_copy(update=changes)})


def locked(account: Account, reported: Reported) -> Account:
    """Return the account with its phones left in peace until its owner has changed the password."""
    return account.model_copy(update={"push": account.push.model_copy(update={"reported": reported})})


def unlocked(account: Account) -> Account:
    """Return the account whose phones may be asked again."""
    return trusted_again(account.model_copy(update={"push": account.push.model_copy(update={"reported": None})}))
