"""ES256 keys and signatures (RFC 7515, RFC 7517, RFC 7518 section 3.4), by joserfc.

Signatures are deterministic (RFC 6979), so a decision that is repeated after a crash publishes the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwa import ESAlgorithm
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from protocol.encoding import decode_base64url
from protocol.strict_json import read_json

ALGORITHM: Final = "ES256"
_COORDINATE_BYTES: Final = 32
_FIELD: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
"""The prime of P-256's field (NIST SP 800-186 section 3.2.1.3): coordinates are below it, or a key had two ids."""
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Members of private and symmetric keys (RFC 7518 section 6)."""
_KEPT_KEYS: Final = 4096
"""How many public keys are kept parsed: a phone's and an issuer's come with each message of theirs."""
_UNREADABLE: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What parsing untrusted input may raise."""
PublicJwk = dict[str, str]
"""A P-256 public key: the members kty, crv, x and y of RFC 7518 section 6.2.1."""


class SignatureError(ValueError):
    """An invalid signature, or a JWS or key that violates this protocol. The text says which."""


class _DeterministicES256(ESAlgorithm):
    """ES256 with deterministic signatures (RFC 6979), which verify like any ES256 signature."""

    def sign(self, msg: bytes, key: ECKey) -> bytes:
        """Return the 64 bytes R || S (RFC 7518 section 3.4) over the message."""
        der = key.get_op_key("sign").sign(msg, ECDSA(self.hash_alg(), deterministic_signing=True))
        return b"".join(number.to_bytes(_COORDINATE_BYTES, "big") for number in decode_dss_signature(der))


class _Registry(JWSRegistry):
    """Allows only ES256, and headers long enough for a key and a URL."""

    max_header_length = 2048
    max_payload_length = 8192
    algorithms = {ALGORITHM: _DeterministicES256(ALGORITHM, "P-256", 256, recommended=True)}  # noqa: RUF012 - as in the base class


_REGISTRY: Final = _Registry(algorithms=[ALGORITHM], strict_check_header=False)


@lru_cache(maxsize=_KEPT_KEYS)
def _public_key(x: str, y: str) -> tuple[Mapping[str, str], str, ECKey]:
    """Return the JWK, the thumbprint and the key of a point's coordinates; raises what `_UNREADABLE` names."""
    bare = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    if any(len(decode_base64url(coordinate)) != _COORDINATE_BYTES for coordinate in (x, y)):
        text = f"the key's coordinates are not {_COORDINATE_BYTES} bytes each"
        raise SignatureError(text)
    if any(int.from_bytes(decode_base64url(coordinate)) >= _FIELD for coordinate in (x, y)):
        text = "the key's coordinates are not below the field's prime"
        raise SignatureError(text)
    key = ECKey.import_key(dict(bare))
    key.get_op_key("verify")
    return bare, key.thumbprint(), key


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A P-256 public key.

    Attributes:
        jwk: The key as in a JWS header.
        thumbprint: Its JWK thumbprint, SHA-256, base64url without padding (RFC 7638): the id of a device or key.

    """

    jwk: PublicJwk
    thumbprint: str
    _key: ECKey

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the public key of a JWK.

        Raises:
            SignatureError: If it is not a P-256 public key.

        """
        if not _PRIVATE_MEMBERS.isdisjoint(jwk):
            text = "not a public key: it has private members"
            raise SignatureError(text)
        try:
            if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
                text = "the key is not on the curve P-256"
                raise SignatureError(text)
            bare, thumbprint, key = _public_key(jwk["x"], jwk["y"])
        except _UNREADABLE as error:
            text = f"not a P-256 public key: {type(error).__name__}"
            raise SignatureError(text) from error
        return cls(dict(bare), thumbprint, key)

    def verify(self, compact: str) -> bytes:
        """Verify a compact JWS with this key.

        Returns:
            The payload.

        Raises:
            SignatureError: If the signature is invalid.

        """
        try:
            for part in compact.split("."):
                decode_base64url(part)  # rejects a second spelling of the same bytes: any altered byte must fail
            return jws.deserialize_compact(compact, self._key, registry=_REGISTRY).payload
        except _UNREADABLE as error:
            text = f"the signature is invalid: {type(error).__name__}"
            raise SignatureError(text) from error


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A P-256 key pair for ES256.

    Attributes:
        public: The public half.

    """

    public: PublicKey
    _key: ECKey

    @classmethod
    def generate(cls) -> Self:
        """Return a new key pair."""
        return cls.from_jwk(ECKey.generate_key("P-256").as_dict(private=True))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key pair of a private JWK (RFC 7518 section 6.2.2).

        Raises:
            SignatureError: If it is not a P-256 private key.

        """
        public = PublicKey.from_jwk({name: value for name, value in jwk.items() if name != "d"})
        if not isinstance(jwk.get("d"), str):
            text = "not a private key: the member d is missing"
            raise SignatureError(text)
        try:
            return cls(public, ECKey.import_key({**public.jwk, "d": jwk["d"]}))
        except _UNREADABLE as error:
            text = f"not a private key: {type(error).__name__}"
            raise SignatureError(text) from error

    def to_jwk(self) -> dict[str, str]:
        """Return the private JWK. Keep it secret."""
        return {str(name): str(value) for name, value in self._key.as_dict(private=True).items()}

    def sign(self, header: Mapping[str, object], payload: bytes) -> str:
        """Sign a payload.

        Args:
            header: Further members of the protected header beside ``alg``.
            payload: The bytes to sign.

        Returns:
            The compact JWS.

        """
        return jws.serialize_compact({"alg": ALGORITHM, **header}, payload, self._key, registry=_REGISTRY)


def read_header(compact: str) -> dict[str, Any]:
    """Return the protected header of a compact JWS, unverified.

    Raises:
        SignatureError: If it is not a compact JWS with ES256.

    """
    try:
        jws.extract_compact(compact.encode("ascii"), registry=_REGISTRY)
        header = dict(read_json(decode_base64url(compact.partition(".")[0])))
    except _UNREADABLE as error:
        text = f"not a compact JWS: {type(error).__name__}"
        raise SignatureError(text) from error
    if header.get("alg") != ALGORITHM:
        text = "the algorithm is not ES256"
        raise SignatureError(text)
    return header


def verify_embedded(compact: str, typ: str) -> tuple[dict[str, Any], PublicKey, bytes]:
    """Verify a compact JWS with the public key in its own header.

    The caller must compare the key's thumbprint with a trusted one; otherwise the signer is unknown.

    Args:
        compact: The JWS.
        typ: The expected type in its header.

    Returns:
        The protected header, the key, and the payload.

    Raises:
        SignatureError: If the type, the key or the signature is invalid.

    """
    header = read_header(compact)
    if header.get("typ") != typ:
        text = f"the type is not {typ}"
        raise SignatureError(text)
    jwk = header.get("jwk")
    key = PublicKey.from_jwk(jwk if isinstance(jwk, dict) else {})
    return header, key, key.verify(compact)


def sign_issued(key: PrivateKey, typ: str, payload: bytes) -> str:
    """Sign a service's statement to a device, with the public key and its id in the header.

    Returns:
        The compact JWS; the signature is deterministic.

    """
    return key.sign({"typ": typ, "kid": key.public.thumbprint, "jwk": key.public.jwk}, payload)


def verify_issued(compact: str, typ: str) -> tuple[bytes, str]:
    """Verify a service's statement with the public key in its header.

    Returns:
        The payload, and the thumbprint of the key, which the caller compares with its trusted keys.

    Raises:
        SignatureError: If the type, the key or the signature is invalid.

    """
    header, key, payload = verify_embedded(compact, typ)
    if header.get("kid") != key.thumbprint:
        text = "the kid is not the thumbprint of the key"
        raise SignatureError(text)
    require_json(payload)
    return payload, key.thumbprint


def require_json(payload: bytes) -> None:
    """Check that a payload is strict JSON.

    Raises:
        SignatureError: If it is not.

    """
    try:
        read_json(payload)
    except ValueError as error:
        text = "the payload is not strict JSON"
        raise SignatureError(text) from error


def thumbprints_of(key_set: bytes) -> frozenset[str]:
    """Return the thumbprints of the P-256 keys in a JWK set's JSON; other keys are ignored (RFC 7517 section 5).

    Raises:
        ValueError: If it is not a JWK set.

    """
    try:
        keys = read_json(key_set)["keys"]
        return frozenset(filter(None, map(_thumbprint, keys)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        text = "not a JWK set"
        raise ValueError(text) from error


def _thumbprint(jwk: object) -> str | None:
    try:
        return PublicKey.from_jwk(jwk).thumbprint if isinstance(jwk, dict) else None
    except SignatureError:
        return None
