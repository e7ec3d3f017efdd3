"""Key agreement for verification codes: P-256 ECDH (NIST SP 800-56A), then HKDF-SHA256 (RFC 5869).

A phone and the login service each have a key pair, and exchange the public keys during pairing. Both derive the same
secret, so the secret is never sent, and only the phone stores it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.encoding import decode_base64url
from protocol.jose import PrivateKey, PublicKey
from schemas.base import AgreementKey

SECRET_BYTES: Final = 20
"""As RFC 4226 section 4, requirement R6, recommends: 160 bits."""
_INFO: Final = b"countersign verification code v1\x00"


@dataclass(frozen=True, slots=True)
class AgreementPrivateKey:
    """A P-256 key pair for key agreement.

    Attributes:
        key_id: Thumbprint of the public half (RFC 7638).
        public: The public half, which is sent to the peer.

    """

    key_id: str
    public: AgreementKey
    _jwk: Mapping[str, str] = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new key pair."""
        return cls.from_jwk(PrivateKey.generate().to_jwk())

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key pair of a private JWK (RFC 7518 section 6.2.2).

        Raises:
            SignatureError: If it is not a P-256 private key.

        """
        pair = PrivateKey.from_jwk(jwk)
        return cls(pair.public.thumbprint, AgreementKey.model_validate(pair.public.jwk), pair.to_jwk())

    def to_jwk(self) -> dict[str, str]:
        """Return the private JWK. Keep it secret."""
        return dict(self._jwk)

    def code_secret(self, peer: AgreementKey, pairing_id: str) -> bytes:
        """Return the secret of a pairing's verification codes (docs/protocol.md, section 9).

        Args:
            peer: The peer's public key.
            pairing_id: The pairing in which the keys were exchanged.

        Returns:
            20 bytes; the same on both sides.

        Raises:
            SignatureError: If the peer's key is not a point of the curve.

        """
        check_agreement_key(peer)
        public = ec.EllipticCurvePublicNumbers(_number(peer.x), _number(peer.y), ec.SECP256R1()).public_key()
        private = ec.derive_private_key(_number(self._jwk["d"]), ec.SECP256R1())
        shared = private.exchange(ec.ECDH(), public)
        return HKDF(SHA256(), SECRET_BYTES, salt=None, info=_INFO + pairing_id.encode("ascii")).derive(shared)


def check_agreement_key(key: AgreementKey) -> None:
    """Check that a public key is a point of the curve.

    Raises:
        SignatureError: If it is not.

    """
    PublicKey.from_jwk(key.model_dump())


def _number(base64url: str) -> int:
    return int.from_bytes(decode_base64url(base64url), "big")
