"""A signer for rehearsals without keys: the recorded events were signed and verified at the time."""

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
    """Accepts recorded answers as the services accepted them; its signatures never leave the rehearsal.

    Attributes:
        numbers: By challenge id, the right number, taken from the phone's answer.

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
        """Return the proof of a response.

        Raises:
            UnacceptableError: If a signature is invalid.

        """
        return _verified(response.challenge, response.answer)

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return the proof of a pairing.

        Raises:
            UnacceptableError: If a signature is invalid.

        """
        return _verified(paired.challenge, paired.answer)

    def number_of(self, challenge_id: str) -> int:
        """Return the challenge's right number, or one that no answer can contain."""
        return self.numbers.get(challenge_id, NO_NUMBER)


def _verified(challenge: str, answer: str) -> Proof:
    try:
        return verify_proof(challenge, answer)
    except SignatureError as error:
        text = f"forged: {error}"
        raise UnacceptableError(text) from error
