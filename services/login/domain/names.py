"""Sign-in names: which account has a name (docs/adr/0040-names-apart.md). All else stands under the account's id.

An account is created by its name's owner: the first one to claim a free name has it, and the claim opens the account.
A claim and what follows from it are one decision, so a crash loses neither. The account's owner releases a name that
the account does not have any more.
"""

from dataclasses import dataclass, replace

from schemas.base import Digest, Identifier, Message
from schemas.codec import Event
from schemas.login_messages import ChangeName, CreateAccount, OpenAccount, ReleaseName, RenameAccount
from services.common.decisions import Decision, Row
from services.login.domain.policy import Policy
from services.login.domain.rejections import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Row):
    """The row of a name that was claimed at some time.

    Attributes:
        name_digest: HMAC-SHA256 of the name; the row's key.
        account_id: The account that has the name; None if the name is free again.

    """

    name_digest: Digest
    account_id: Identifier | None = None


def decide_name(row: Name | None, event: Event[Message], _policy: Policy) -> Decision[Name]:
    """Decide on an event for a name; the outcome is ``ok`` or ``name_taken``."""
    match event.data:
        case CreateAccount() as command:
            return _claim(row, command, OpenAccount(**dict(command)))
        case RenameAccount() as command:
            return _claim(row, command, ChangeName(**dict(command)))
        case ReleaseName() as command if row is not None and row.account_id == command.account_id:
            return Decision(replace(row, account_id=None))
        case _:
            return Decision(row)


def _claim(row: Name | None, claim: CreateAccount | RenameAccount, granted: Message) -> Decision[Name]:
    if row is not None and row.account_id is not None:
        return Decision(row, outcome=Rejection.NAME_TAKEN)
    return Decision(Name(name_digest=claim.name_digest, account_id=claim.account_id), (granted,))
