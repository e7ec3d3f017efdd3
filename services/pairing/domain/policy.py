"""The pairing service's policy: its limits and its signer."""

from dataclasses import dataclass, field

from protocol.challenges import Claims, Proof, issue_challenge
from protocol.jose import PrivateKey
from protocol.phrases import pairing_seal
from schemas.contract import AuthResponse, PairingRequested
from services.common.proofs import read_proof
from services.pairing.domain.limits import PairingLimits


@dataclass(frozen=True, slots=True)
class PairingSigner:
    """Signs the pairing service's challenges, and seals its pairings.

    Attributes:
        issuer: The service's URL in challenges.
        key: The active signing key.
        accepted_keys: Thumbprints of the active signing key and of those before it.
        seal_key: The secret that the pairing and login services share.

    """

    issuer: str
    key: PrivateKey
    accepted_keys: frozenset[str]
    seal_key: bytes = field(repr=False)

    def sign_challenge(self, claims: Claims) -> str:
        """Return a challenge: a compact JWS."""
        return issue_challenge(self.key, claims)

    def verify_response(self, response: AuthResponse) -> Proof:
        """Return a response's proof.

        Raises:
            UnacceptableError: If the response is forged, or answers another service's challenge.

        """
        return read_proof(response, self.accepted_keys)

    def seal(self, request: PairingRequested, device_id: str) -> str:
        """Return the seal of a pairing, which the login service checks."""
        return pairing_seal(self.seal_key, request.pairing_id, request.account_id, device_id)


@dataclass(frozen=True, slots=True)
class PairingPolicy:
    """The limits and the signer with which the owners of phrases and requesters decide."""

    limits: PairingLimits
    signer: PairingSigner
