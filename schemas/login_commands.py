"""What the login service's web side asks of the account's owner. Private to the login service."""

from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Digest, Identifier, Message, Moment, Text
from schemas.topics import LOGIN_COMMANDS, Topic


class AccountCommand(Message):
    """A command to the owner of an account.

    Attributes:
        account_id: The account, which is the sign-in name in its canonical form.
        at: When it was given, by the clock of who gave it; the decision takes it as its now.

    """

    topic: ClassVar[Topic] = LOGIN_COMMANDS

    account_id: Identifier
    at: Moment

    @property
    def key(self) -> str:
        """Return the account id: its partition's owner decides."""
        return self.account_id


class CreateAccount(AccountCommand):
    """Make an account.

    Attributes:
        display_name: The name as its owner typed it.
        password_hash: Argon2id hash in PHC string format (never the password).

    """

    type: ClassVar[str] = "countersign.login.create_account.v1"

    display_name: Text
    password_hash: Text = Field(repr=False)


class RemoveAccount(AccountCommand):
    """Remove an account with all it has."""

    type: ClassVar[str] = "countersign.login.remove_account.v1"


class SignIn(AccountCommand):
    """The password was right: begin a login.

    Attributes:
        login_id: Names the login.
        login_digest: SHA-256 of the token that only the browser has; the login waits in that browser alone.
        session_digest: SHA-256 of the session token that the browser gets once the login is approved.
        password_hash: The hash that the password was checked against: a login by a replaced password is refused.
        browser: Where.

    """

    type: ClassVar[str] = "countersign.login.sign_in.v1"

    login_id: Identifier
    login_digest: Digest
    session_digest: Digest
    password_hash: Text = Field(repr=False)
    browser: Browser


class FailPassword(AccountCommand):
    """The password was wrong.

    Attributes:
        browser: Where.

    """

    type: ClassVar[str] = "countersign.login.fail_password.v1"

    browser: Browser


class StartPairing(AccountCommand):
    """The person entered a pairing phrase.

    Attributes:
        login_id: The login that waits for a phone.
        pairing_id: Names the attempt.
        phrase_digest: HMAC-SHA256 of the phrase.

    """

    type: ClassVar[str] = "countersign.login.start_pairing.v1"

    login_id: Identifier
    pairing_id: Identifier
    phrase_digest: Digest


class SendPrompt(AccountCommand):
    """Ask the phone whether the login is its owner's.

    Attributes:
        login_id: The login.
        challenge_id: Names the challenge.

    """

    type: ClassVar[str] = "countersign.login.send_prompt.v1"

    login_id: Identifier
    challenge_id: Identifier


class CancelLogin(AccountCommand):
    """The person gave the login up in the browser.

    Attributes:
        login_id: The login.

    """

    type: ClassVar[str] = "countersign.login.cancel_login.v1"

    login_id: Identifier


class EndSession(AccountCommand):
    """Sign out.

    Attributes:
        session_digest: SHA-256 of the session's token.

    """

    type: ClassVar[str] = "countersign.login.end_session.v1"

    session_digest: Digest
