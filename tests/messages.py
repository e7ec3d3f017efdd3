"""Builders of the commands that the web sides give."""

from datetime import datetime, timedelta
from typing import Any, Final

from schemas.contract import DeviceUnpaired
from schemas.login_messages import (
    CancelLogin,
    CountGuess,
    EndSession,
    Enrol,
    FailCode,
    FailPassword,
    SendChallenge,
    SendEnrolmentCode,
    SignIn,
    StartPairing,
    UseCode,
    UseRecoveryCode,
)
from schemas.pairing_messages import IssuePhrase, RequestPhrase
from schemas.push_messages import TellUnpaired
from tests.builders import T0, Phone, a_browser, a_digest, a_phone
from tests.events import PHRASE, an_unpairing

PHRASE_LIFETIME: Final = timedelta(minutes=5)


def a_sign_in(login_id: str = "login-1", at: datetime = T0, **changes: Any) -> SignIn:
    """Return a right password."""
    fields = {
        "account_id": "alex",
        "at": at,
        "login_id": login_id,
        "login_digest": a_digest(f"token of {login_id}"),
        "session_digest": a_digest(f"session of {login_id}"),
        "password_hash": "$argon2id$1",
        "browser": a_browser(),
    }
    return SignIn.model_validate({**fields, **changes})


def a_wrong_password(at: datetime = T0, browser_digest: str | None = None) -> FailPassword:
    """Return a wrong password."""
    return FailPassword(account_id="alex", at=at, browser=a_browser(), browser_digest=browser_digest)


def a_guess(at: datetime = T0, *, by_address: bool = True) -> CountGuess:
    """Return a wrong password that no account counts."""
    return CountGuess(source=a_digest("source"), at=at, by_address=by_address)


def a_pairing_start(pairing_id: str = "pairing-1", at: datetime = T0, **changes: Any) -> StartPairing:
    """Return a phrase that was entered."""
    fields = {"account_id": "alex", "at": at, "login_id": "login-1", "pairing_id": pairing_id, "phrase_digest": PHRASE}
    return StartPairing.model_validate({**fields, **changes})


def a_send(
    login_id: str = "login-1", at: datetime = T0, challenge_id: str = "challenge-1", device_id: str | None = None
) -> SendChallenge:
    """Return a click that asks the phone: the first one, or the one that was chosen."""
    return SendChallenge(account_id="alex", at=at, login_id=login_id, challenge_id=challenge_id, device_id=device_id)


def a_code(step: int = 100, login_id: str = "login-1", at: datetime = T0, method_id: str = "pairing-0") -> UseCode:
    """Return a right verification code: of the account's phone unless told otherwise."""
    return UseCode(account_id="alex", at=at, login_id=login_id, method_id=method_id, time_step=step)


def a_wrong_code(at: datetime = T0, login_id: str = "login-1") -> FailCode:
    """Return a wrong code."""
    return FailCode(account_id="alex", at=at, login_id=login_id)


def a_recovery_code(code: str = "code 1", login_id: str = "login-1", at: datetime = T0) -> UseRecoveryCode:
    """Return a recovery code that was entered."""
    return UseRecoveryCode(account_id="alex", at=at, login_id=login_id, code_digest=a_digest(code))


def an_enrolment_mail(
    enrolment_id: str = "enrolment-1", login_id: str = "login-1", at: datetime = T0
) -> SendEnrolmentCode:
    """Return a wish for a code by e-mail."""
    return SendEnrolmentCode(account_id="alex", at=at, login_id=login_id, enrolment_id=enrolment_id)


def an_enrolment(login_id: str = "login-1", at: datetime = T0, **changes: Any) -> Enrol:
    """Return a code for the first pairing that was entered; which one, a test says."""
    return Enrol.model_validate({"account_id": "alex", "at": at, "login_id": login_id, **changes})


def a_cancel(login_id: str = "login-1", at: datetime = T0) -> CancelLogin:
    """Return a click on Cancel."""
    return CancelLogin(account_id="alex", at=at, login_id=login_id)


def a_sign_out(login_id: str = "login-1", at: datetime = T0) -> EndSession:
    """Return a click on Sign out, in the session that a login opened."""
    return EndSession(account_id="alex", at=at, session_digest=a_digest(f"session of {login_id}"))


def a_phrase_request(nonce: str = "nonce-1", at: datetime = T0, **changes: Any) -> RequestPhrase:
    """Return a device's wish for a phrase."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    fields = {"device_id": phone.device_id, "device_name": phone.name, "nonce": nonce, "phrase_digest": PHRASE}
    return RequestPhrase.model_validate({**fields, "at": at, "expires_at": at + PHRASE_LIFETIME, **changes})


def an_issue(at: datetime = T0, phone: Phone | None = None, phrase: str = PHRASE) -> IssuePhrase:
    """Return a phrase that a device was granted."""
    phone = phone or a_phone()
    return IssuePhrase(
        phrase_digest=phrase, device_id=phone.device_id, device_name=phone.name, at=at, expires_at=at + PHRASE_LIFETIME
    )


def a_parting(unpaired: DeviceUnpaired | None = None, at: datetime = T0, **changes: Any) -> TellUnpaired:
    """Return what a device's channel hears of a pairing that ended."""
    unpaired = unpaired or an_unpairing()
    fields = unpaired.model_dump(include={"device_id", "account_id", "pairing_id", "statement"})
    return TellUnpaired.model_validate({**fields, "at": at, **changes})
