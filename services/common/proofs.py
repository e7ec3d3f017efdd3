"""Verification of a device's response, before a service decides by it."""

from collections.abc import Container

from protocol.challenges import Proof, verify_proof
from protocol.jose import SignatureError
from schemas.contract import AuthResponse
from services.common.decisions import UnacceptableError


def read_proof(response: AuthResponse, accepted_keys: Container[str]) -> Proof:
    """Return the verified proof of a response.

    Args:
        response: The response.
        accepted_keys: Thumbprints of the keys that this service signs challenges with, recently retired ones included.

    Raises:
        UnacceptableError: If a signature is wrong, or another service issued the challenge.

    """
    try:
        proof = verify_proof(response.challenge, response.answer)
    except SignatureError as error:
        text = f"forged response: {error}"
        raise UnacceptableError(text) from error
    if proof.issuer_key not in accepted_keys:
        text = "forged response: the challenge is not signed by this service"
        raise UnacceptableError(text)
    return proof
