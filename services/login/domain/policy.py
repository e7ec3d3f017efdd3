"""What the login service decides with: its limits, and who signs and verifies for it."""

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
    """Signs what the service says to devices, and verifies what devices and the pairing service say.

    Attributes:
        issuer: The service's URL, which its challenges name.
        service_name: What people sign in to.
        accepted_keys: Thumbprints of all keys that the service signs with or has lately signed with, the active first.
        agreement_key: The public key for the secrets of verification codes; phones get it when they are paired.

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
        """Return what a response proves.

        Raises:
            UnacceptableError: If it proves nothing, or answers another service's challenge.

        """

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return what the device accepted.

        Raises:
            UnacceptableError: If the pairing service did not decide this, or the device's answer does not hold.

        """

    def number_of(self, challenge_id: str) -> int:
        """Return the number of number matching, 10 to 99: the browser shows it, the phone's answer must hold it."""


@dataclass(frozen=True, slots=True)
class KeySigner:
    """Signs and verifies by keys.

    Attributes:
        issuer: See `Signer`.
        service_name: See `Signer`.
        key: The key that signs.
        accepted_keys: See `Signer`.
        agreement_key: See `Signer`.
        seal_key: The secret that the pairing and login services share.
        number_key: The secret that the numbers of number matching follow from.

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
        """Return what a response proves; see `Signer`."""
        return read_proof(response, self.accepted_keys)

    def verify_pairing(self, paired: DevicePaired) -> Proof:
        """Return what the device accepted; see `Signer`."""
        if paired.seal != pairing_seal(self.seal_key, paired.pairing_id, paired.account_id, paired.device_id):
            text = "forged pairing: the seal does not hold"
            raise UnacceptableError(text)
        try:
            return verify_proof(paired.challenge, paired.answer)
        except SignatureError as error:
            text = f"forged pairing: {error}"
            raise UnacceptableError(text) from error

    def number_of(self, challenge_id: str) -> int:
        """Return a challenge's number: HMAC-SHA256 of its id, so that no row and no topic holds it."""
        tag = hmac.digest(self.number_key, b"countersign number\x00" + challenge_id.encode(), "sha256")
        return SMALLEST_NUMBER + int.from_bytes(tag[:8]) % NUMBERS


@dataclass(frozen=True, slots=True)
class Policy:
    """What an account's owner decides with.

    Attributes:
        limits: How often, how long, how many.
        signer: Signs and verifies.

    """

    limits: Limits
    signer: Signer
