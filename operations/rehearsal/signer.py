"""A signer for rehearsals, which needs no keys: what happened was signed and verified when it happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.challenges import Claims, Proof, verify_proof
from protocol.jose import SignatureError
from protocol.unpaired import Unpaired
from schemas.contract import AuthResponse, DevicePaired
from services.common.decisions import UnacceptableError

UNSIGNED = "rehearsed.not.signed"
NO_NUMBER = 0


@dataclass(frozen=True, slots=True)
class RecordedSigner:
    """Takes recorded answers as they were taken; nothing that it signs leaves the rehearsal.

    Attributes:
        numbers: By challenge id, the number that the phone's answer held where it was the right one.

    """

    numbers: Mapping[str, int] = field(default_factory=dict)
    issuer: str = ""
    service_name: str = ""
    accepted_keys: tuple[str, ...] = ()
    agreement_key: None = None

    def sign_challenge(self, _claims: Claims) -> str:
        """Return a placeholder in the form of a compact JWS."""
        return UNSIGNED

    def sign_unpaired(self, _statement: Unpaired) -> str:
        """Return a placeholder in the form of a compact JWS."""
        return UNSIGNED

    def verify_response(self, response: AuthResponse) -> Proof:
        """Return what a response says; the device's signature must hold.

        Raises:
            UnacceptableError: If it does not.

        """
        return _verified(response.challenge, response.answer)

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return what the device accepted; its signature must hold.

        Raises:
            UnacceptableError: If it does not.

        """
        return _verified(paired.challenge, paired.answer)

    def number_of(self, challenge_id: str) -> int:
        """Return the number that counted as right, or one that none is equal to."""
        return self.numbers.get(challenge_id, NO_NUMBER)


def _verified(challenge: str, answer: str) -> Proof:
    try:
        return verify_proof(challenge, answer)
    except SignatureError as error:
        text = f"forged: {error}"
        raise UnacceptableError(text) from error
