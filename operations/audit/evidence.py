"""What can be checked of a message by itself, whoever decided it: its signatures and its seal."""

import json
from collections.abc import Container
from typing import Final

from pydantic import ValidationError

from operations.audit.policies import Policies
from protocol.challenges import ANSWER_TYPE, Answer, verify_challenge, verify_proof
from protocol.jose import SignatureError, verify_embedded
from protocol.phrases import pairing_seal
from protocol.records import contradictions
from protocol.unpaired import verify_unpaired
from schemas.base import Message
from schemas.contract import AuthResponse, ChallengeIssued, DevicePaired, DeviceUnpaired, Purpose
from schemas.push_messages import SubmitAnswer, TellUnpaired

SIGNED: Final = (AuthResponse, ChallengeIssued, DevicePaired, DeviceUnpaired, TellUnpaired, SubmitAnswer)
"""The messages with signatures or seals."""


def flaw_of(message: Message, rulebook: Policies) -> str:  # noqa: PLR0911 - one line a message
    """Return why a message proves that it is not what it says, in plain words; empty if nothing speaks against it.

    Args:
        message: Any message.
        rulebook: Has the keys that the services sign and seal with, those on their way in or out among them.

    """
    try:
        match message:
            case AuthResponse():
                return _flaw_of_response(message, rulebook)
            case ChallengeIssued():
                return _flaw_of_challenge(message, rulebook)
            case DevicePaired():
                return _flaw_of_pairing(message, rulebook)
            case DeviceUnpaired(statement=str() as statement) | TellUnpaired(statement=statement):
                return _flaw_of_statement(message, statement, rulebook)
            case SubmitAnswer():
                return _flaw_of_answer(message)
            case _:
                return ""
    except SignatureError as error:
        return str(error)


def _flaw_of_response(response: AuthResponse, rulebook: Policies) -> str:
    proof = verify_proof(response.challenge, response.answer)
    said = next(contradictions(response.model_dump(mode="json"), proof), "")
    return said or _unknown_key(proof.issuer_key, response.purpose, rulebook)


def _flaw_of_challenge(issued: ChallengeIssued, rulebook: Policies) -> str:
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
    said = {**issued.model_dump(include=set(signed)), **times}
    other = next((name for name, value in signed.items() if said[name] != value), None)
    return f"its {other} is not the signed one" if other else _unknown_key(key, issued.purpose, rulebook)


def _flaw_of_pairing(paired: DevicePaired, rulebook: Policies) -> str:
    seal = pairing_seal(rulebook.pairing.signer.seal_key, paired.pairing_id, paired.account_id, paired.device_id)
    if paired.seal != seal:
        return "its seal does not hold: it is not by the pairing service"
    proof = verify_proof(paired.challenge, paired.answer)
    said = next(contradictions(paired.model_dump(mode="json"), proof), "")
    return said or _unknown_key(proof.issuer_key, Purpose.PAIRING, rulebook)


def _flaw_of_statement(message: DeviceUnpaired | TellUnpaired, statement: str, rulebook: Policies) -> str:
    said, key = verify_unpaired(statement)
    if (said.aud, said.account_id, said.pairing_id) != (message.device_id, message.account_id, message.pairing_id):
        return "its statement is of another device, account or pairing"
    return _unknown_key(key, Purpose.LOGIN, rulebook)


def _flaw_of_answer(answer: SubmitAnswer) -> str:
    """Check a device's answer by itself: which challenge it is to, the channel's owner decides."""
    header, device, payload = verify_embedded(answer.answer, ANSWER_TYPE)
    try:
        said = Answer.model_validate(json.loads(payload))
    except (ValueError, ValidationError):
        return "its answer does not say what an answer says"
    signed = (device.thumbprint, said.challenge_digest, said.verdict, header.get("nonce"))
    if signed != (answer.device_id, answer.challenge_digest, answer.verdict, answer.nonce):
        return "the device signed another answer than this one"
    return ""


def _unknown_key(thumbprint: str, purpose: Purpose, rulebook: Policies) -> str:
    known: Container[str] = rulebook.login_keys if purpose is Purpose.LOGIN else rulebook.pairing_keys
    service = "login" if purpose is Purpose.LOGIN else "pairing"
    return "" if thumbprint in known else f"it is signed by {thumbprint}, which is no key of the {service} service"
