"""What services ask of a device's response before they decide anything by it."""

from collections.abc import Container

from protocol.challenges import Proof, verify_proof
from protocol.jose import SignatureError
from schemas.contract import AuthResponse
from services.common.decisions import UnacceptableError


def read_proof(response: AuthResponse, accepted_keys: Container[str]) -> Proof:
    """Return what a response proves.

    Args:
        response: The response.
        accepted_keys: Thumbprints of the keys that this service signs its challenges with, or has lately.

    Raises:
        UnacceptableError: If it proves nothing, or answers another service's challenge.

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
