"""What the pairing service decides with: its limits, and its keys."""

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
        issuer: The service's URL.
        key: The key that signs its challenges.
        accepted_keys: Thumbprints of all keys that it signs with or has lately signed with.
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
        """Return what a response proves.

        Raises:
            UnacceptableError: If it proves nothing, or answers another service's challenge.

        """
        return read_proof(response, self.accepted_keys)

    def seal(self, request: PairingRequested, device_id: str) -> str:
        """Return the seal of a pairing, which the login service checks."""
        return pairing_seal(self.seal_key, request.pairing_id, request.account_id, device_id)


@dataclass(frozen=True, slots=True)
class PairingPolicy:
    """What the owners of phrases and requesters decide with.

    Attributes:
        limits: How long, how many.
        signer: Signs and verifies.

    """

    limits: PairingLimits
    signer: PairingSigner
