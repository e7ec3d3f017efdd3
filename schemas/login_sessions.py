"""What somebody who is signed in asks of the account's owner. Private to the login service."""

from typing import ClassVar

from pydantic import Field

from schemas.base import Browser, Digest, Identifier, Text
from schemas.login_commands import AccountCommand


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
