"""The login service's policy: its limits and its signer."""

import hmac
from dataclasses import dataclass, field
from typing import Final, Protocol

from protocol.challenges import Claims, Proof, issue_challenge, verify_proof
from protocol.jose import PrivateKey, SignatureError
from protocol.phrases import pairing_seal
from protocol.unpaired import Unpaired, issue_unpaired
from schemas.base import AgreementKey
from schemas.contract import AuthResponse, DevicePaired
from services.common.decisions import UnacceptableError
from services.common.proofs import read_proof
from services.login.domain.limits import Limits

SMALLEST_NUMBER: Final = 10
NUMBERS: Final = 90


class Signer(Protocol):
    """Signs messages to devices, and verifies messages from devices and from the pairing service.

    Attributes:
        issuer: The service's URL in challenges.
        service_name: The product's name.
        accepted_keys: Thumbprints of the active signing key, first, and of those before it.
        agreement_key: The public key for verification codes, which phones get when they are paired.

    """

    @property
    def issuer(self) -> str: ...  # noqa: D102 - see the class
    @property
    def service_name(self) -> str: ...  # noqa: D102 - see the class
    @property
    def accepted_keys(self) -> tuple[str, ...]: ...  # noqa: D102 - see the class
    @property
    def agreement_key(self) -> AgreementKey | None: ...  # noqa: D102 - see the class

    def sign_challenge(self, claims: Claims) -> str:
        """Return a challenge: a compact JWS."""

    def sign_unpaired(self, statement: Unpaired) -> str:
        """Return the statement that a pairing ended: a compact JWS."""

    def verify_response(self, response: AuthResponse) -> Proof:
        """Return a response's proof.

        Raises:
            UnacceptableError: If the response is forged, or answers another service's challenge.

        """

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return a pairing's proof.

        Raises:
            UnacceptableError: If the pairing service's seal or the device's signature does not hold.

        """

    def number_of(self, challenge_id: str) -> int:
        """Return a challenge's number for number matching, 10 to 99."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """The signer with the service's keys; see `Signer`.

    Attributes:
        key: The active signing key.
        seal_key: The secret that the pairing and login services share.
        number_key: The secret from which numbers are derived.

    """

    issuer: str
    service_name: str
    key: PrivateKey
    accepted_keys: tuple[str, ...]
    agreement_key: AgreementKey
    seal_key: bytes = field(repr=False)
    number_key: bytes = field(repr=False)

    def sign_challenge(self, claims: Claims) -> str:
        """Return a challenge: a compact JWS."""
        return issue_challenge(self.key, claims)

    def sign_unpaired(self, statement: Unpaired) -> str:
        """Return the statement that a pairing ended: a compact JWS."""
        return issue_unpaired(self.key, statement)

    def verify_response(self, response: AuthResponse) -> Proof:
        """Return a response's proof; see `Signer`."""
        return read_proof(response, self.accepted_keys)

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return a pairing's proof; see `Signer`."""
        if paired.seal != pairing_seal(self.seal_key, paired.pairing_id, paired.account_id, paired.device_id):
            text = "forged pairing: the seal does not hold"
            raise UnacceptableError(text)
        try:
            return verify_proof(paired.challenge, paired.answer)
        except SignatureError as error:
            text = f"forged pairing: {error}"
            raise UnacceptableError(text) from error

    def number_of(self, challenge_id: str) -> int:
        """Return a challenge's number, derived from its id by HMAC-SHA256; no row and no topic holds it."""
        tag = hmac.digest(self.number_key, b"countersign number\x00" + challenge_id.encode(), "sha256")
        return SMALLEST_NUMBER + int.from_bytes(tag[:8]) % NUMBERS


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits and the signer with which an account's owner decides."""

    limits: Limits
    signer: Signer
