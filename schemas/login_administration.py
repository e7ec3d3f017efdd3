"""What an administrator asks of an account's owner. Private to the login service."""

from typing import ClassVar

from pydantic import Field

from schemas.base import Digest, Moment, Text
from schemas.login_commands import AccountCommand


class CreateAccount(AccountCommand):
    """Make an account.

    Attributes:
        display_name: The name as its owner typed it.
        password_hash: Argon2id hash in PHC string format (never the password).
        email: Where emails go; empty if nowhere.

    """

    type: ClassVar[str] = "countersign.login.create_account.v1"

    display_name: Text
    password_hash: Text = Field(repr=False)
    email: Text = ""


class RemoveAccount(AccountCommand):
    """Remove an account with all it has."""

    type: ClassVar[str] = "countersign.login.remove_account.v1"


class SetEmail(AccountCommand):
    """Send emails to another address.

    Attributes:
        email: The address; empty for none.

    """

    type: ClassVar[str] = "countersign.login.set_email.v1"

    email: Text


class Invite(AccountCommand):
    """Let a code that was handed out admit to the first pairing; it takes the place of one before.

    Attributes:
        invitation_digest: SHA-256 of the code.
        expires_at: When it ends.

    """

    type: ClassVar[str] = "countersign.login.invite.v1"

    invitation_digest: Digest
    expires_at: Moment


class ResetMethods(AccountCommand):
    """Remove all methods, sessions and remembered browsers: the next sign-in enrols anew."""

    type: ClassVar[str] = "countersign.login.reset_methods.v1"
