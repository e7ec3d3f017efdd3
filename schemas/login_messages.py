"""What the login service tells itself: commands to the owners of accounts and of guesses, and e-mails that are due.

Private to the service.
"""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Command, Digest, Identifier, Message, Moment, Text
from schemas.topics import LOGIN_COMMANDS, LOGIN_EMAILS, LOGIN_GUESSES, Topic


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


class SessionCommand(AccountCommand):
    """A command of a session.

    Attributes:
        session_digest: SHA-256 of the session's token.

    """

    session_digest: Digest


class TouchSession(SessionCommand):
    """Something is done in the session: it is not idle."""

    type: ClassVar[str] = "countersign.login.touch_session.v1"


class EndSession(SessionCommand):
    """Sign out."""

    type: ClassVar[str] = "countersign.login.end_session.v1"


class RevokeSession(SessionCommand):
    """Sign another session out.

    Attributes:
        revoked_digest: The other session.

    """

    type: ClassVar[str] = "countersign.login.revoke_session.v1"

    revoked_digest: Digest


class ForgetBrowser(SessionCommand):
    """Remember a browser no more.

    Attributes:
        remembered_digest: The browser, by the digest of the token that it keeps.

    """

    type: ClassVar[str] = "countersign.login.forget_browser.v1"

    remembered_digest: Digest


class Confirm(SessionCommand):
    """Ask for the second factor again, before changes.

    Attributes:
        login_id: Names the login that confirms.
        login_digest: SHA-256 of the token that only this browser has.
        browser: Where.

    """

    type: ClassVar[str] = "countersign.login.confirm.v1"

    login_id: Identifier
    login_digest: Digest
    browser: Browser


class AddPhone(SessionCommand):
    """Pair a further phone.

    Attributes:
        login_id: Names the login in which it is paired.
        login_digest: SHA-256 of the token that only this browser has.
        browser: Where.

    """

    type: ClassVar[str] = "countersign.login.add_phone.v1"

    login_id: Identifier
    login_digest: Digest
    browser: Browser


class AddApp(SessionCommand):
    """Take an authenticator app in, whose first code was right.

    Attributes:
        method_id: Names it among the account's methods.
        name: Its name as its owner reads it.
        sealed_secret: Its secret, sealed under the service's key ring.
        time_step: The time step of that first code, which is used up by it.

    """

    type: ClassVar[str] = "countersign.login.add_app.v1"

    method_id: Identifier
    name: Text
    sealed_secret: str = Field(repr=False, max_length=1000)
    time_step: int = Field(ge=0)


class ChoosePhone(SessionCommand):
    """Ask this phone first from now on.

    Attributes:
        method_id: The phone, by its pairing's id.

    """

    type: ClassVar[str] = "countersign.login.choose_phone.v1"

    method_id: Identifier


class RenameMethod(SessionCommand):
    """Give a phone or an app another name.

    Attributes:
        method_id: The phone or app.
        name: The new name.

    """

    type: ClassVar[str] = "countersign.login.rename_method.v1"

    method_id: Identifier
    name: Text = Field(min_length=1)


class RemoveMethod(SessionCommand):
    """Remove a phone or an app.

    Attributes:
        method_id: The phone or app.

    """

    type: ClassVar[str] = "countersign.login.remove_method.v1"

    method_id: Identifier


class MakeRecoveryCodes(SessionCommand):
    """Let a new set of recovery codes take the place of the old one.

    Attributes:
        salt: The salt of their hashes, base64url.
        code_digests: Their Argon2id hashes under that salt.

    """

    type: ClassVar[str] = "countersign.login.make_recovery_codes.v1"

    salt: Text = Field(repr=False)
    code_digests: tuple[Digest, ...] = Field(repr=False, min_length=1, max_length=20)


class ChangePassword(SessionCommand):
    """Take another password; whoever is signed in elsewhere has to sign in anew.

    Attributes:
        old_password_hash: The hash that the old password was checked against.
        password_hash: The new password's Argon2id hash in PHC string format.

    """

    type: ClassVar[str] = "countersign.login.change_password.v1"

    old_password_hash: Text = Field(repr=False)
    password_hash: Text = Field(repr=False)


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


class GuessCommand(Command):
    """A command to the owner of a source of guesses.

    Attributes:
        source: The source: SHA-256 over what it is, because people type passwords where names belong.

    """

    topic: ClassVar[Topic] = LOGIN_GUESSES

    source: Digest

    @property
    def key(self) -> str:
        """Return the source: its partition's owner decides."""
        return self.source


class CountGuess(GuessCommand):
    """A password was wrong.

    Attributes:
        by_address: True if the source is an address, False if it is a name that no account has.

    """

    type: ClassVar[str] = "countersign.login.count_guess.v1"

    by_address: bool


class ForgetGuesses(GuessCommand):
    """Forget a source that was quiet for long enough."""

    type: ClassVar[str] = "countersign.login.forget_guesses.v1"


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
