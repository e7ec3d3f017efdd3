"""Builders of the contract's events, with true signatures."""

from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from protocol.challenges import Claims, PinnedIssuer, issue_challenge, sign_answer, verify_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from protocol.unpaired import Unpaired, issue_unpaired
from schemas.base import Message
from schemas.contract import (
    AuthResponse,
    ChallengeEnded,
    ChallengeIssued,
    ChallengeOutcome,
    DevicePaired,
    DeviceUnpaired,
    PairingRequested,
    Purpose,
    Verdict,
)
from tests.builders import (
    LOGIN_URL,
    PAIRING_URL,
    PUSH_URL,
    SEAL_KEY,
    T0,
    Phone,
    a_browser,
    a_digest,
    a_key,
    a_phone,
    an_agreement_key,
)

CHALLENGE_LIFETIME: Final = timedelta(minutes=2)
PHRASE: Final = a_digest("crimson otter")
MessageT = TypeVar("MessageT", bound=Message)


def only(messages: tuple[Message, ...], kind: type[MessageT]) -> MessageT:
    """Return the one message there is, which must be of a kind."""
    assert len(messages) == 1, messages
    assert isinstance(messages[0], kind), messages
    return messages[0]


def without_end(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return the messages but the last one, which must tell how a challenge ended."""
    assert [type(each) for each in messages].index(ChallengeEnded) == len(messages) - 1, messages
    return messages[:-1]


def end_in(messages: tuple[Message, ...]) -> ChallengeEnded:
    """Return what the last of some messages tells about how a challenge ended."""
    assert isinstance(messages[-1], ChallengeEnded), messages
    return messages[-1]


def a_challenge(phone: Phone | None = None, key: PrivateKey | None = None, **changes: Any) -> str:
    """Return a signed challenge: of a pairing unless told otherwise."""
    fields = {
        "iss": PAIRING_URL,
        "aud": (phone or a_phone()).device_id,
        "jti": "pairing-1",
        "iat": int(T0.timestamp()),
        "exp": int((T0 + CHALLENGE_LIFETIME).timestamp()),
        "purpose": Purpose.PAIRING,
        "reply_key": PHRASE,
        "service": "Account Manager",
        "account_id": "alex",
        "account_name": "Alex",
        "browser": a_browser(),
        "login_issuer": PinnedIssuer(
            issuer=LOGIN_URL,
            keys=(a_key("login service").public.thumbprint,),
            agreement=an_agreement_key("login service").public,
        ),
    }
    return issue_challenge(key or a_key("pairing service"), Claims.model_validate({**fields, **changes}))


def a_login_challenge(phone: Phone | None = None, key: PrivateKey | None = None, **changes: Any) -> str:
    """Return the signed challenge of the login ``login-1``."""
    named = {"iss": LOGIN_URL, "jti": "login-1", "purpose": Purpose.LOGIN, "reply_key": "alex"}
    fields = {**named, "number_matching": True, "login_issuer": None}
    return a_challenge(phone, key or a_key("login service"), **{**fields, **changes})


def a_response(
    challenge: str, verdict: Verdict = Verdict.APPROVE, at: datetime = T0, phone: Phone | None = None, **changes: Any
) -> AuthResponse:
    """Return the response to a challenge; an approval holds the browser's number unless told otherwise."""
    claims, _ = verify_challenge(challenge)
    phone = phone or a_phone()
    number: int | None = changes.pop("number", None)
    fields = {
        "challenge_id": claims.jti,
        "device_id": phone.device_id,
        "reply_key": claims.reply_key,
        "purpose": claims.purpose,
        "verdict": verdict,
        "challenge": challenge,
        "answer": phone.answer(challenge, verdict, at=at, number=number),
        "answered_at": at,
    }
    return AuthResponse.model_validate({**fields, **changes})


def without_number(challenge: str, at: datetime = T0, phone: Phone | None = None) -> AuthResponse:
    """Return the approval of a phone that leaves out the number."""
    phone = phone or a_phone()
    url = f"{PUSH_URL}/challenges/any/answer"
    answer = sign_answer(phone.key, challenge=challenge, verdict=Verdict.APPROVE, url=url, nonce="nonce", at=at)
    return a_response(challenge, at=at, phone=phone, answer=answer)


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
        "issuer_agreement": an_agreement_key("login service").public,
        "browser": a_browser(),
        "requested_at": at,
        "expires_at": at + CHALLENGE_LIFETIME,
    }
    return PairingRequested.model_validate({**fields, **changes})


def an_unpairing(pairing_id: str = "pairing-1", **changes: Any) -> DeviceUnpaired:
    """Return a phone that was removed from its account, with the statement for it."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    at: datetime = changes.pop("at", T0)
    said = Unpaired(
        iss=LOGIN_URL, aud=phone.device_id, iat=int(at.timestamp()), account_id="alex", pairing_id=pairing_id
    )
    fields = {
        "account_id": "alex",
        "device_id": phone.device_id,
        "pairing_id": pairing_id,
        "reason": "removed",
        "statement": issue_unpaired(a_key("login service"), said),
    }
    return DeviceUnpaired.model_validate({**fields, **changes})


def an_ended_challenge(
    issued: ChallengeIssued, outcome: ChallengeOutcome = ChallengeOutcome.WITHDRAWN, **changes: Any
) -> ChallengeEnded:
    """Return what tells a device how its challenge ended."""
    fields = {"challenge_id": issued.challenge_id, "device_id": issued.device_id, "outcome": outcome}
    return ChallengeEnded.model_validate({**fields, **changes})


def an_issued_challenge(challenge_id: str = "challenge-1", at: datetime = T0, **changes: Any) -> ChallengeIssued:
    """Return a login challenge on its way to the phone."""
    phone: Phone = changes.pop("phone", None) or a_phone()
    fields = {"challenge_id": challenge_id, "device_id": phone.device_id, "reply_key": "alex"}
    signed = a_login_challenge(phone, jti=challenge_id)
    times = {"issued_at": at, "expires_at": at + CHALLENGE_LIFETIME}
    return ChallengeIssued.model_validate({**fields, "purpose": Purpose.LOGIN, "challenge": signed, **times, **changes})
