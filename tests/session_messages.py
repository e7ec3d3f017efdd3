"""Builders of what somebody who is signed in, and what an administrator, asks of an account's owner."""

from datetime import datetime, timedelta
from typing import Any, Final

from schemas.login_messages import (
    AddApp,
    AddPhone,
    ChangeName,
    ChangePassword,
    ChoosePhone,
    Confirm,
    CreateAccount,
    ForgetBrowser,
    Invite,
    MakeRecoveryCodes,
    OpenAccount,
    ReleaseName,
    RemoveAccount,
    RemoveMethod,
    RenameAccount,
    RenameMethod,
    ResetMethods,
    RevokeSession,
    SetEmail,
    SetPassword,
    TouchSession,
)
from tests.builders import T0, a_browser, a_digest

SESSION: Final = a_digest("s")
"""The session of ``a_session()``, which the commands here come from."""


def a_touch(at: datetime = T0, session_digest: str = SESSION) -> TouchSession:
    """Return a click somewhere."""
    return TouchSession(account_id="alex", at=at, session_digest=session_digest)


def a_revocation(other: str, at: datetime = T0, session_digest: str = SESSION) -> RevokeSession:
    """Return a click that signs another browser out."""
    return RevokeSession(account_id="alex", at=at, session_digest=session_digest, revoked_digest=other)


def a_forgetting(browser: str, at: datetime = T0, session_digest: str = SESSION) -> ForgetBrowser:
    """Return a click that has a browser forgotten."""
    return ForgetBrowser(account_id="alex", at=at, session_digest=session_digest, remembered_digest=browser)


def a_confirmation(login_id: str = "confirm-1", at: datetime = T0, **changes: Any) -> Confirm:
    """Return a wish to give the second factor again."""
    return Confirm.model_validate({**_begun(login_id, at), **changes})


def a_further_phone(login_id: str = "add-1", at: datetime = T0, **changes: Any) -> AddPhone:
    """Return a wish to pair a further phone."""
    return AddPhone.model_validate({**_begun(login_id, at), **changes})


def an_app_added(method_id: str = "app-1", at: datetime = T0, **changes: Any) -> AddApp:
    """Return an authenticator app whose first code was right."""
    fields = {"method_id": method_id, "name": "Desk app", "sealed_secret": "sealed", "time_step": 100}
    return AddApp.model_validate({**_in_session(at), **fields, **changes})


def a_choice(method_id: str, at: datetime = T0, session_digest: str = SESSION) -> ChoosePhone:
    """Return a click that has a phone asked first."""
    return ChoosePhone(account_id="alex", at=at, session_digest=session_digest, method_id=method_id)


def a_renaming(method_id: str, name: str = "Old faithful", at: datetime = T0) -> RenameMethod:
    """Return another name for a phone or an app."""
    return RenameMethod(account_id="alex", at=at, session_digest=SESSION, method_id=method_id, name=name)


def a_method_removal(method_id: str, at: datetime = T0, session_digest: str = SESSION) -> RemoveMethod:
    """Return a click that removes a phone or an app."""
    return RemoveMethod(account_id="alex", at=at, session_digest=session_digest, method_id=method_id)


def new_recovery_codes(at: datetime = T0, *, first: int = 1, count: int = 10, **changes: Any) -> MakeRecoveryCodes:
    """Return a new set of recovery codes: ``code 1``, ``code 2`` and so on."""
    digests = tuple(a_digest(f"code {number}") for number in range(first, first + count))
    return MakeRecoveryCodes.model_validate(
        {**_in_session(at), "salt": "c2FsdA", "pepper_id": "pepper-1", "code_digests": digests, **changes}
    )


def a_password_change(at: datetime = T0, **changes: Any) -> ChangePassword:
    """Return another password."""
    fields = {"old_password_hash": "$argon2id$1", "password_hash": "$argon2id$2"}
    return ChangePassword.model_validate({**_in_session(at), **fields, **changes})


def a_creation(at: datetime = T0, **changes: Any) -> CreateAccount:
    """Return an administrator's wish for an account."""
    return CreateAccount.model_validate({**_new_account(at), **changes})


def an_opening(at: datetime = T0, **changes: Any) -> OpenAccount:
    """Return the claim of a name that was granted to a new account."""
    return OpenAccount.model_validate({**_new_account(at), **changes})


def a_new_name(name: str, at: datetime = T0, **changes: Any) -> RenameAccount:
    """Return an administrator's wish for another name of an account."""
    fields = {"name_digest": a_digest(name), "account_id": "alex", "at": at, "name": name}
    return RenameAccount.model_validate({**fields, **changes})


def a_changed_name(name: str, at: datetime = T0, **changes: Any) -> ChangeName:
    """Return the claim of a name that was granted to an account that had another one."""
    return ChangeName.model_validate({**dict(a_new_name(name, at)), **changes})


def a_release(at: datetime = T0, **changes: Any) -> ReleaseName:
    """Return an account's notice that it does not have its name any more."""
    fields = {"name_digest": a_digest("alex"), "account_id": "alex", "at": at}
    return ReleaseName.model_validate({**fields, **changes})


def a_removal(at: datetime = T0) -> RemoveAccount:
    """Return an administrator's wish to be rid of an account."""
    return RemoveAccount(account_id="alex", revision=0, at=at, name_digest=a_digest("alex"))


def an_address(email: str, at: datetime = T0) -> SetEmail:
    """Return another address for notices."""
    return SetEmail(account_id="alex", revision=0, at=at, email=email)


def an_invitation(code: str = "invitation", at: datetime = T0, lasts: timedelta = timedelta(days=7)) -> Invite:
    """Return a code that was handed out, to admit to the first pairing."""
    return Invite(account_id="alex", revision=0, at=at, invitation_digest=a_digest(code), expires_at=at + lasts)


def a_reset(at: datetime = T0) -> ResetMethods:
    """Return an administrator's wish that an account enrols anew."""
    return ResetMethods(account_id="alex", revision=0, at=at)


def a_password_set(at: datetime = T0, **changes: Any) -> SetPassword:
    """Return an administrator's password for one sign-in."""
    fields = {"account_id": "alex", "revision": 0, "at": at, "password_hash": "$argon2id$9"}
    return SetPassword.model_validate({**fields, **changes})


def _new_account(at: datetime) -> dict[str, Any]:
    return {
        "name_digest": a_digest("alex"),
        "account_id": "alex",
        "at": at,
        "name": "alex",
        "display_name": "Alex",
        "password_hash": "$argon2id$1",
    }


def _in_session(at: datetime) -> dict[str, Any]:
    return {"account_id": "alex", "at": at, "session_digest": SESSION}


def _begun(login_id: str, at: datetime) -> dict[str, Any]:
    login = {"login_id": login_id, "login_digest": a_digest(f"token of {login_id}"), "browser": a_browser()}
    return {**_in_session(at), **login}
