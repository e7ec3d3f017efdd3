"""Key agreement for verification codes: P-256 ECDH (NIST SP 800-56A), then HKDF-SHA256 (RFC 5869).

A phone and the login service each have a key pair of their own and learn the other's public key while they pair. Both
derive the same secret from it, so the secret travels nowhere and rests nowhere but in the phone.
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
        public: The public half, to be sent.

    """

    key_id: str
    public: AgreementKey
    _jwk: Mapping[str, str] = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new key pair."""
        return cls.from_jwk(PrivateKey.generate().to_jwk())

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Take a key pair from its private JWK (RFC 7518 section 6.2.2).

        Raises:
            SignatureError: If it is not a P-256 private key.

        """
        pair = PrivateKey.from_jwk(jwk)
        return cls(pair.public.thumbprint, AgreementKey.model_validate(pair.public.jwk), pair.to_jwk())

    def to_jwk(self) -> dict[str, str]:
        """Return the private JWK. Keep it secret."""
        return dict(self._jwk)

    def code_secret(self, peer: AgreementKey, pairing_id: str) -> bytes:
        """Return the secret that verification codes of a pairing are made with (docs/protocol.md, section 9).

        Args:
            peer: The other side's public key.
            pairing_id: The pairing in which the keys were exchanged.

        Returns:
            20 bytes; the same on both sides.

        Raises:
            SignatureError: If the peer's key is not a point of the curve.

        """
        check_agreement_key(peer)
        theirs = ec.EllipticCurvePublicNumbers(_number(peer.x), _number(peer.y), ec.SECP256R1()).public_key()
        ours = ec.derive_private_key(_number(self._jwk["d"]), ec.SECP256R1())
        shared = ours.exchange(ec.ECDH(), theirs)
        return HKDF(SHA256(), SECRET_BYTES, salt=None, info=_INFO + pairing_id.encode("ascii")).derive(shared)


def check_agreement_key(key: AgreementKey) -> None:
    """Refuse a public key that is not a point of the curve.

    Raises:
        SignatureError: If it is none.

    """
    PublicKey.from_jwk(key.model_dump())


def _number(base64url: str) -> int:
    return int.from_bytes(decode_base64url(base64url), "big")
