"""Checks the signatures and the seal of a single message."""

from collections.abc import Container
from typing import Final

from operations.audit.policies import Policies
from protocol.challenges import contradictions, verify_challenge, verify_proof
from protocol.jose import SignatureError
from protocol.phrases import pairing_seal
from protocol.unpaired import verify_unpaired
from schemas.base import Message
from schemas.codec import Event
from schemas.contract import AuthResponse, ChallengeIssued, DevicePaired, DeviceUnpaired, Purpose
from schemas.push_messages import TellUnpaired

SIGNED: Final = (AuthResponse, ChallengeIssued, DevicePaired, DeviceUnpaired, TellUnpaired)
"""The messages with signatures or seals."""


def find_flaw(event: Event[Message], policies: Policies) -> str:
    """Return what is wrong with a message's signatures or seal, in words; empty if they are valid.

    Args:
        event: Any message, in its envelope.
        policies: The policies with the services' keys, including new and retired ones.

    """
    message = event.data
    try:
        match message:
            case AuthResponse():
                return _flaw_of_response(message, event.id, policies)
            case ChallengeIssued():
                return _flaw_of_challenge(message, policies)
            case DevicePaired():
                return _flaw_of_pairing(message, policies)
            case DeviceUnpaired(statement=str() as statement) | TellUnpaired(statement=statement):
                return _flaw_of_statement(message, statement, policies)
            case _:
                return ""
    except SignatureError as error:
        return str(error)


def _flaw_of_response(response: AuthResponse, event_id: str, policies: Policies) -> str:
    proof = verify_proof(response.challenge, response.answer)
    contradiction = next(contradictions(response.model_dump(mode="json"), proof), "")
    flaw = contradiction or _unknown_key(proof.issuer_key, response.purpose, policies)
    return flaw or ("" if event_id == proof.answer_id else "its id is not that of the answer")


def _flaw_of_challenge(issued: ChallengeIssued, policies: Policies) -> str:
    claims, key = verify_challenge(issued.challenge)
    signed = {
        "challenge_id": claims.jti,
        "device_id": claims.aud,
        "reply_key": claims.reply_key,
        "purpose": claims.purpose,
        "issued_at": claims.iat,
        "expires_at": claims.exp,
    }
    times = {"issued_at": int(issued.issued_at.timestamp()), "expires_at": int(issued.expires_at.timestamp())}
    stated = {**issued.model_dump(include=set(signed)), **times}
    wrong = next((name for name, value in signed.items() if stated[name] != value), None)
    return f"its {wrong} is not the signed one" if wrong else _unknown_key(key, issued.purpose, policies)


def _flaw_of_pairing(paired: DevicePaired, policies: Policies) -> str:
    seal = pairing_seal(policies.pairing.signer.seal_key, paired.pairing_id, paired.account_id, paired.device_id)
    if paired.seal != seal:
        return "its seal is invalid: the pairing service did not make it"
    proof = verify_proof(paired.challenge, paired.answer)
    contradiction = next(contradictions(paired.model_dump(mode="json"), proof), "")
    return contradiction or _unknown_key(proof.issuer_key, Purpose.PAIRING, policies)


def _flaw_of_statement(message: DeviceUnpaired | TellUnpaired, statement: str, policies: Policies) -> str:
    claims, key = verify_unpaired(statement)
    if (claims.aud, claims.account_id, claims.pairing_id) != (
        message.device_id,
        message.account_id,
        message.pairing_id,
    ):
        return "its statement is about another device, account or pairing"
    return _unknown_key(key, Purpose.LOGIN, policies)


def _unknown_key(thumbprint: str, purpose: Purpose, policies: Policies) -> str:
    known: Container[str] = policies.login_keys if purpose is Purpose.LOGIN else policies.pairing_keys
    service = "login" if purpose is Purpose.LOGIN else "pairing"
    return "" if thumbprint in known else f"it is signed by {thumbprint}, which is not a key of the {service} service"
