"""What the login service's web side asks of the account's owner. Private to the login service."""

from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Command, Digest, Identifier, Text
from schemas.topics import LOGIN_COMMANDS, Topic


class AccountCommand(Command):
    """A command to the owner of an account.

    Attributes:
        account_id: The account, which is the sign-in name in its canonical form.

    """

    topic: ClassVar[Topic] = LOGIN_COMMANDS

    account_id: Identifier

    @property
    def key(self) -> str:
        """Return the account id: its partition's owner decides."""
        return self.account_id


class SignIn(AccountCommand):
    """The password was right: begin a login.

    Attributes:
        login_id: Names the login.
        login_digest: SHA-256 of the token that only the browser has; the login waits in that browser alone.
        session_digest: SHA-256 of the session token that the browser gets once the login is approved.
        password_hash: The hash that the password was checked against: a login by a replaced password is refused.
        browser: Where.
        browser_digest: SHA-256 of the browser's own token, by which it is known again.
        remembered_digest: SHA-256 of the token of a remembered browser, if it has one.
        remember_digest: SHA-256 of the token by which the browser shall be remembered, if that is wished.

    """

    type: ClassVar[str] = "countersign.login.sign_in.v1"

    login_id: Identifier
    login_digest: Digest
    session_digest: Digest
    password_hash: Text = Field(repr=False)
    browser: Browser
    browser_digest: Digest | None = None
    remembered_digest: Digest | None = None
    remember_digest: Digest | None = None


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


class SendChallenge(AccountCommand):
    """Ask the phone whether the login is its owner's.

    Attributes:
        login_id: The login.
        challenge_id: Names the challenge.
        device_id: The phone to ask; None asks the one that was chosen to be asked first.

    """

    type: ClassVar[str] = "countersign.login.send_challenge.v1"

    login_id: Identifier
    challenge_id: Identifier
    device_id: Digest | None = None


class UseCode(AccountCommand):
    """A code of a phone or an app was right: it counts, once.

    Attributes:
        login_id: The login.
        method_id: The phone or app that it is of.
        time_step: The time step that it belongs to (RFC 6238 section 4.2). The code itself travels nowhere.

    """

    type: ClassVar[str] = "countersign.login.use_code.v1"

    login_id: Identifier
    method_id: Identifier
    time_step: int = Field(ge=0)


class UseRecoveryCode(AccountCommand):
    """A recovery code was entered.

    Attributes:
        login_id: The login.
        code_digest: Its Argon2id hash under the salt of the account's set.

    """

    type: ClassVar[str] = "countersign.login.use_recovery_code.v1"

    login_id: Identifier
    code_digest: Digest = Field(repr=False)


class FailCode(AccountCommand):
    """A code was wrong.

    Attributes:
        login_id: The login.

    """

    type: ClassVar[str] = "countersign.login.fail_code.v1"

    login_id: Identifier


class SendEnrolmentCode(AccountCommand):
    """Send a code by e-mail that the first pairing needs.

    Attributes:
        login_id: The login.
        enrolment_id: Names the code, which follows from it under a key and travels nowhere but in the e-mail.

    """

    type: ClassVar[str] = "countersign.login.send_enrolment_code.v1"

    login_id: Identifier
    enrolment_id: Identifier


class Enrol(AccountCommand):
    """The code for the first pairing was entered.

    Attributes:
        login_id: The login.
        enrolment_id: The e-mailed code that was right, or None for an invitation.
        invitation_digest: SHA-256 of the invitation's code that was entered, or None for an e-mailed code.

    """

    type: ClassVar[str] = "countersign.login.enrol.v1"

    login_id: Identifier
    enrolment_id: Identifier | None = None
    invitation_digest: Digest | None = None


class CancelLogin(AccountCommand):
    """The person gave the login up in the browser.

    Attributes:
        login_id: The login.

    """

    type: ClassVar[str] = "countersign.login.cancel_login.v1"

    login_id: Identifier
