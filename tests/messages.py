"""Builders of the messages: commands of the web sides, and the events of the contract with true signatures."""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from protocol.challenges import Claims, PinnedIssuer, challenge_digest, issue_challenge, verify_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from schemas.base import Message
from schemas.contract import AuthResponse, ChallengeIssued, DevicePaired, PairingRequested, Purpose, Verdict
from schemas.login_commands import CancelLogin, EndSession, FailPassword, SendPrompt, SignIn, StartPairing
from schemas.pairing_commands import IssuePhrase, RequestPhrase
from schemas.push_commands import SubmitAnswer
from tests.builders import LOGIN_URL, PAIRING_URL, SEAL_KEY, T0, Phone, a_browser, a_digest, a_key, a_phone

PROMPT_LIFETIME: Final = timedelta(minutes=2)
PHRASE_LIFETIME: Final = timedelta(minutes=5)
PHRASE: Final = a_digest("crimson otter")
MessageT = TypeVar("MessageT", bound=Message)


def only(messages: tuple[Message, ...], kind: type[MessageT]) -> MessageT:
    """Return the one message there is, which must be of a kind."""
    assert len(messages) == 1, messages
    assert isinstance(messages[0], kind), messages
    return messages[0]


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


def a_wrong_password(at: datetime = T0) -> FailPassword:
    """Return a wrong password."""
    return FailPassword(account_id="alex", at=at, browser=a_browser())


def a_pairing_start(pairing_id: str = "pairing-1", at: datetime = T0, **changes: Any) -> StartPairing:
    """Return a phrase that was entered."""
    fields = {"account_id": "alex", "at": at, "login_id": "login-1", "pairing_id": pairing_id, "phrase_digest": PHRASE}
    return StartPairing.model_validate({**fields, **changes})


def a_send(login_id: str = "login-1", at: datetime = T0, challenge_id: str = "challenge-1") -> SendPrompt:
    """Return a click that asks the phone."""
    return SendPrompt(account_id="alex", at=at, login_id=login_id, challenge_id=challenge_id)


def a_cancel(login_id: str = "login-1", at: datetime = T0) -> CancelLogin:
    """Return a click on Cancel."""
    return CancelLogin(account_id="alex", at=at, login_id=login_id)


def a_sign_out(login_id: str = "login-1", at: datetime = T0) -> EndSession:
    """Return a click on Sign out, in the session that a login opened."""
    return EndSession(account_id="alex", at=at, session_digest=a_digest(f"session of {login_id}"))


def a_challenge(phone: Phone | None = None, key: PrivateKey | None = None, **changes: Any) -> str:
    """Return a signed challenge: of a pairing unless told otherwise."""
    fields = {
        "iss": PAIRING_URL,
        "aud": (phone or a_phone()).device_id,
        "jti": "pairing-1",
        "iat": int(T0.timestamp()),
        "exp": int((T0 + PROMPT_LIFETIME).timestamp()),
        "purpose": Purpose.PAIRING,
        "reply_key": PHRASE,
        "service": "Account Manager",
        "account_id": "alex",
        "account_name": "Alex",
        "browser": a_browser(),
        "login_issuer": PinnedIssuer(issuer=LOGIN_URL, keys=(a_key("login service").public.thumbprint,)),
    }
    return issue_challenge(key or a_key("pairing service"), Claims.model_validate({**fields, **changes}))


def a_response(
    challenge: str, verdict: Verdict = Verdict.APPROVE, at: datetime = T0, phone: Phone | None = None, **changes: Any
) -> AuthResponse:
    """Return the response to a challenge."""
    claims, _ = verify_challenge(challenge)
    phone = phone or a_phone()
    fields = {
        "challenge_id": claims.jti,
        "device_id": phone.device_id,
        "reply_key": claims.reply_key,
        "purpose": claims.purpose,
        "verdict": verdict,
        "challenge": challenge,
        "answer": phone.answer(challenge, verdict, at=at),
        "answered_at": at,
    }
    return AuthResponse.model_validate({**fields, **changes})


def a_paired(
    pairing_id: str = "pairing-1", at: datetime = T0, verdict: Verdict = Verdict.APPROVE, **changes: Any
) -> DevicePaired:
    """Return a pairing that a phone accepted and the pairing service sealed."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    account_id = changes.get("account_id", "alex")
    challenge = changes.pop("challenge", None) or a_challenge(phone, jti=pairing_id, account_id=account_id)
    fields = {
        "pairing_id": pairing_id,
        "account_id": account_id,
        "device_id": phone.device_id,
        "device_name": phone.name,
        "challenge": challenge,
        "answer": phone.answer(challenge, verdict, at=at),
        "paired_at": at,
        "seal": pairing_seal(SEAL_KEY, pairing_id, account_id, phone.device_id),
    }
    return DevicePaired.model_validate({**fields, **changes})


def a_phrase_request(nonce: str = "nonce-1", at: datetime = T0, **changes: Any) -> RequestPhrase:
    """Return a device's wish for a phrase."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    fields = {"device_id": phone.device_id, "device_name": phone.name, "nonce": nonce, "phrase_digest": PHRASE}
    return RequestPhrase.model_validate({**fields, "at": at, "expires_at": at + PHRASE_LIFETIME, **changes})


def an_issue(at: datetime = T0, phone: Phone | None = None, phrase: str = PHRASE) -> IssuePhrase:
    """Return a phrase that a device was granted."""
    phone = phone or a_phone()
    return IssuePhrase(
        phrase_digest=phrase,
        device_id=phone.device_id,
        device_name=phone.name,
        at=at,
        expires_at=at + PHRASE_LIFETIME,
    )


def a_pairing_request(pairing_id: str = "pairing-1", at: datetime = T0, **changes: Any) -> PairingRequested:
    """Return a phrase that was entered, as the login service asks for its phone."""
    fields = {
        "phrase_digest": PHRASE,
        "pairing_id": pairing_id,
        "account_id": "alex",
        "account_name": "Alex",
        "service_name": "Account Manager",
        "issuer": LOGIN_URL,
        "issuer_keys": (a_key("login service").public.thumbprint,),
        "browser": a_browser(),
        "requested_at": at,
        "expires_at": at + PROMPT_LIFETIME,
    }
    return PairingRequested.model_validate({**fields, **changes})


def an_issued_challenge(challenge_id: str = "challenge-1", at: datetime = T0, **changes: Any) -> ChallengeIssued:
    """Return a login challenge on its way to the phone."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    fields = {"challenge_id": challenge_id, "device_id": phone.device_id, "reply_key": "alex"}
    login = {"iss": LOGIN_URL, "jti": challenge_id, "purpose": Purpose.LOGIN, "reply_key": "alex", "login_issuer": None}
    signed = a_challenge(phone, a_key("login service"), **login)
    times = {"issued_at": at, "expires_at": at + PROMPT_LIFETIME}
    return ChallengeIssued.model_validate({**fields, "purpose": Purpose.LOGIN, "challenge": signed, **times, **changes})


def a_submission(issued: ChallengeIssued, nonce: str = "nonce-1", at: datetime = T0, **changes: Any) -> SubmitAnswer:
    """Return a phone's answer as the push service's web side took it."""
    verdict = changes.pop("verdict", Verdict.APPROVE)
    fields = {
        "device_id": issued.device_id,
        "at": at,
        "challenge_id": issued.challenge_id,
        "nonce": nonce,
        "verdict": verdict,
        "challenge_digest": challenge_digest(issued.challenge),
        "answer": a_phone().answer(issued.challenge, verdict, at=at),
    }
    return SubmitAnswer.model_validate({**fields, **changes})
