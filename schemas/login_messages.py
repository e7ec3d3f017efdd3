"""The login service's private messages: commands to the owners of names, accounts and guesses, and e-mails to send."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Command, Digest, Identifier, Message, Moment, Text
from schemas.topics import LOGIN_COMMANDS, LOGIN_EMAILS, LOGIN_GUESSES, LOGIN_NAMES, Topic


class NameCommand(Command):
    """A command to the owner of a sign-in name.

    Attributes:
        name_digest: HMAC-SHA256 of the name: a key would show the name to every reader of Kafka.

    """

    topic: ClassVar[Topic] = LOGIN_NAMES

    name_digest: Digest

    @property
    def key(self) -> str:
        """Return the name's digest, whose owner decides which account has the name."""
        return self.name_digest


class CreateAccount(NameCommand):
    """Create an account, if its name is free.

    Attributes:
        account_id: The new account's id, random.
        name: The sign-in name, prepared (RFC 8265 section 3.3).
        display_name: The name as its owner reads it.
        password_hash: The password's hash: the id of its key, then Argon2id in PHC string format.
        email: The address for e-mails; empty for none.

    """

    type: ClassVar[str] = "countersign.login.create_account.v1"

    account_id: Identifier
    name: Text
    display_name: Text
    password_hash: Text = Field(repr=False)
    email: Text = ""


class RenameAccount(NameCommand):
    """Give an account another sign-in name, if that is free.

    Attributes:
        account_id: The account.
        name: The new name, prepared.

    """

    type: ClassVar[str] = "countersign.login.rename_account.v1"

    account_id: Identifier
    name: Text


class ReleaseName(NameCommand):
    """An account does not have a name any more: it was removed or renamed, or never came to be.

    Attributes:
        account_id: The account.

    """

    type: ClassVar[str] = "countersign.login.release_name.v1"

    account_id: Identifier


class AccountCommand(Command):
    """A command to the owner of an account.

    Attributes:
        account_id: The account.

    """

    topic: ClassVar[Topic] = LOGIN_COMMANDS

    account_id: Identifier

    @property
    def key(self) -> str:
        """Return the account id, whose owner decides."""
        return self.account_id


class SignIn(AccountCommand):
    """The password was right: start a login.

    Attributes:
        login_id: The login's id.
        login_digest: SHA-256 of the login token, which binds the login to the browser that has it.
        session_digest: SHA-256 of the session token that the browser gets once the login is approved.
        password_hash: The hash that matched the password; a login with a replaced password is rejected.
        renewed_hash: The hash to keep instead, if an older key made the one that matched.
        browser: The browser.
        browser_digest: SHA-256 of the browser's own token, which identifies it later.
        remembered_digest: SHA-256 of the token of a remembered browser, if it has one.
        remember_digest: SHA-256 of the token that will identify the remembered browser, if the person chose that.

    """

    type: ClassVar[str] = "countersign.login.sign_in.v1"

    login_id: Identifier
    login_digest: Digest
    session_digest: Digest
    password_hash: Text = Field(repr=False)
    renewed_hash: Text | None = Field(default=None, repr=False)
    browser: Browser
    browser_digest: Digest | None = None
    remembered_digest: Digest | None = None
    remember_digest: Digest | None = None


class FailPassword(AccountCommand):
    """The password was wrong.

    Attributes:
        browser: The browser.
        browser_digest: SHA-256 of the browser's own token, by which the account may know it.

    """

    type: ClassVar[str] = "countersign.login.fail_password.v1"

    browser: Browser
    browser_digest: Digest | None = None


class StartPairing(AccountCommand):
    """The person entered a pairing phrase.

    Attributes:
        login_id: The login that waits for a phone.
        pairing_id: The attempt's id.
        phrase_digest: HMAC-SHA256 of the phrase.

    """

    type: ClassVar[str] = "countersign.login.start_pairing.v1"

    login_id: Identifier
    pairing_id: Identifier
    phrase_digest: Digest


class SendChallenge(AccountCommand):
    """Send a challenge for the login to a phone.

    Attributes:
        login_id: The login.
        challenge_id: The challenge's id.
        device_id: The phone; None means the account's preferred phone.

    """

    type: ClassVar[str] = "countersign.login.send_challenge.v1"

    login_id: Identifier
    challenge_id: Identifier
    device_id: Digest | None = None


class UseCode(AccountCommand):
    """A verification code was right; it is valid once.

    Attributes:
        login_id: The login.
        method_id: The phone or app of the code.
        time_step: The code's time step (RFC 6238 section 4.2). The code itself is never sent.

    """

    type: ClassVar[str] = "countersign.login.use_code.v1"

    login_id: Identifier
    method_id: Identifier
    time_step: int = Field(ge=0)


class UseRecoveryCode(AccountCommand):
    """A recovery code was entered.

    Attributes:
        login_id: The login.
        code_digest: The code's Argon2id hash under the salt of the account's set.

    """

    type: ClassVar[str] = "countersign.login.use_recovery_code.v1"

    login_id: Identifier
    code_digest: Digest = Field(repr=False)


class FailCode(AccountCommand):
    """A verification code was wrong.

    Attributes:
        login_id: The login.

    """

    type: ClassVar[str] = "countersign.login.fail_code.v1"

    login_id: Identifier


class SendEnrolmentCode(AccountCommand):
    """Send the enrolment code for the first pairing by e-mail.

    Attributes:
        login_id: The login.
        enrolment_id: The code's id; the code is derived from it with a key and is sent only in the e-mail.

    """

    type: ClassVar[str] = "countersign.login.send_enrolment_code.v1"

    login_id: Identifier
    enrolment_id: Identifier


class Enrol(AccountCommand):
    """The code for the first pairing was entered.

    Attributes:
        login_id: The login.
        enrolment_id: The id of the correct e-mailed code; None for an invitation.
        invitation_digest: SHA-256 of the invitation's code; None for an e-mailed code.

    """

    type: ClassVar[str] = "countersign.login.enrol.v1"

    login_id: Identifier
    enrolment_id: Identifier | None = None
    invitation_digest: Digest | None = None


class CancelLogin(AccountCommand):
    """The person cancelled the login in the browser.

    Attributes:
        login_id: The login.

    """

    type: ClassVar[str] = "countersign.login.cancel_login.v1"

    login_id: Identifier


class SessionCommand(AccountCommand):
    """A command from a session.

    Attributes:
        session_digest: SHA-256 of the session's token.

    """

    session_digest: Digest


class TouchSession(SessionCommand):
    """The session is active: reset its idle time."""

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
    """Forget a remembered browser.

    Attributes:
        remembered_digest: SHA-256 of the browser's token.

    """

    type: ClassVar[str] = "countersign.login.forget_browser.v1"

    remembered_digest: Digest


class Confirm(SessionCommand):
    """Request the second factor again before changes.

    Attributes:
        login_id: The id of the login that confirms.
        login_digest: SHA-256 of the login token of this browser.
        browser: The browser.

    """

    type: ClassVar[str] = "countersign.login.confirm.v1"

    login_id: Identifier
    login_digest: Digest
    browser: Browser


class AddPhone(SessionCommand):
    """Pair a further phone.

    Attributes:
        login_id: The id of the login for the pairing.
        login_digest: SHA-256 of the login token of this browser.
        browser: The browser.

    """

    type: ClassVar[str] = "countersign.login.add_phone.v1"

    login_id: Identifier
    login_digest: Digest
    browser: Browser


class AddApp(SessionCommand):
    """Add an authenticator app, whose first code was right.

    Attributes:
        method_id: The app's id among the account's methods.
        name: Its display name.
        sealed_secret: Its secret, sealed under the service's key ring.
        time_step: The time step of the first code, which is then used.

    """

    type: ClassVar[str] = "countersign.login.add_app.v1"

    method_id: Identifier
    name: Text
    sealed_secret: str = Field(repr=False, max_length=1000)
    time_step: int = Field(ge=0)


class ChoosePhone(SessionCommand):
    """Make a phone the preferred one, which gets challenges first.

    Attributes:
        method_id: The phone: its pairing's id.

    """

    type: ClassVar[str] = "countersign.login.choose_phone.v1"

    method_id: Identifier


class RenameMethod(SessionCommand):
    """Rename a phone or an app.

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
    """Replace the account's set of recovery codes.

    Attributes:
        salt: The salt of the hashes, base64url.
        pepper_id: The id of the key of the hashes.
        code_digests: The codes' Argon2id hashes under that salt.

    """

    type: ClassVar[str] = "countersign.login.make_recovery_codes.v1"

    salt: Text = Field(repr=False)
    pepper_id: Identifier
    code_digests: tuple[Digest, ...] = Field(repr=False, min_length=1, max_length=20)


class ChangePassword(SessionCommand):
    """Change the password; all other sessions end.

    Attributes:
        old_password_hash: The hash that matched the old password.
        password_hash: The new password's hash: the id of its key, then Argon2id in PHC string format.

    """

    type: ClassVar[str] = "countersign.login.change_password.v1"

    old_password_hash: Text = Field(repr=False)
    password_hash: Text = Field(repr=False)


class OpenAccount(AccountCommand):
    """The account has its name: open it. The attributes are those of `CreateAccount`."""

    type: ClassVar[str] = "countersign.login.open_account.v1"

    name_digest: Digest
    name: Text
    display_name: Text
    password_hash: Text = Field(repr=False)
    email: Text = ""


class ChangeName(AccountCommand):
    """The account has another name. The attributes are those of `RenameAccount`."""

    type: ClassVar[str] = "countersign.login.change_name.v1"

    name_digest: Digest
    name: Text


class AdministratorCommand(AccountCommand):
    """A command from an administrator, which counts for the account as the administrator saw it.

    Attributes:
        revision: The account's revision then; 0 if it had not been opened yet.

    """

    revision: int = Field(ge=0)


class RemoveAccount(AdministratorCommand):
    """Remove an account with its methods and sessions.

    Attributes:
        name_digest: HMAC-SHA256 of the name that it is removed by.

    """

    type: ClassVar[str] = "countersign.login.remove_account.v1"

    name_digest: Digest


class SetEmail(AdministratorCommand):
    """Change the address for e-mails.

    Attributes:
        email: The address; empty for none.

    """

    type: ClassVar[str] = "countersign.login.set_email.v1"

    email: Text


class Invite(AdministratorCommand):
    """Set the invitation that allows the first pairing; it replaces an earlier one.

    Attributes:
        invitation_digest: SHA-256 of the invitation's code.
        expires_at: When the invitation expires.

    """

    type: ClassVar[str] = "countersign.login.invite.v1"

    invitation_digest: Digest
    expires_at: Moment


class SetPassword(AdministratorCommand):
    """Set a password that is to be changed at the next sign-in; all sessions end.

    Attributes:
        password_hash: Its Argon2id hash in PHC string format.

    """

    type: ClassVar[str] = "countersign.login.set_password.v1"

    password_hash: Text = Field(repr=False)


class ResetMethods(AdministratorCommand):
    """Remove all methods, sessions and remembered browsers; the next sign-in starts with enrolment."""

    type: ClassVar[str] = "countersign.login.reset_methods.v1"


class GuessCommand(Command):
    """A command to the owner of a source of password guesses.

    Attributes:
        source: HMAC-SHA256 of the address or name; people type passwords into the name's field.

    """

    topic: ClassVar[Topic] = LOGIN_GUESSES

    source: Digest

    @property
    def key(self) -> str:
        """Return the source, whose owner decides."""
        return self.source


class CountGuess(GuessCommand):
    """A password is tried by an address, or was wrong for a name without an account.

    Attributes:
        by_address: True if the source is an IP address, False if it is a name without an account.

    """

    type: ClassVar[str] = "countersign.login.count_guess.v1"

    by_address: bool


class RefundGuess(GuessCommand):
    """A password that an address tried was right: the try no longer counts, and makes up for one that was wrong."""

    type: ClassVar[str] = "countersign.login.refund_guess.v1"


class ForgetGuesses(GuessCommand):
    """Delete a source whose guesses have expired."""

    type: ClassVar[str] = "countersign.login.forget_guesses.v1"


class EmailKind(StrEnum):
    """The subject of an e-mail."""

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
    PASSWORD_SET = "password_set"  # noqa: S105 - the name of an e-mail


class EmailDue(Message):
    """An e-mail to the account's owner is due.

    Attributes:
        account_id: The account.
        account_name: The account's display name.
        sign_in_name: Its sign-in name.
        address: The e-mail address.
        kind: What happened.
        at: When it happened.
        browser: The browser in which it happened; None without a browser.
        method_name: The name of the phone or app; empty if none is concerned.
        identifier: For an enrolment code, the id from which the code is derived; only the e-mail contains the code.
        left: For a used recovery code, the number of unused ones.

    """

    topic: ClassVar[Topic] = LOGIN_EMAILS
    type: ClassVar[str] = "countersign.login.email_due.v1"

    account_id: Identifier
    account_name: Text
    sign_in_name: Text
    address: Text = Field(repr=False)
    kind: EmailKind
    at: Moment
    browser: Browser | None = None
    method_name: Text = ""
    identifier: Identifier | None = None
    left: int | None = None

    @property
    def key(self) -> str:
        """Return the account id, so that an account's e-mails are sent in order."""
        return self.account_id
