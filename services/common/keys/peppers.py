"""Peppers: keys of password hashes (NIST SP 800-63B-4 section 3.1.1.2). Without them, what Kafka holds opens nothing.

A text is hashed by HMAC-SHA256 under a pepper before it is hashed by Argon2id, whose Python library takes no key.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from protocol.encoding import decode_base64url, encode_base64url
from services.common.clock import new_id
from services.common.keys.key_files import KeyKind, KeyRing, load_keys

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Pepper:
    """A key of hashes.

    Attributes:
        key_id: Its id, random.
        key: The key itself, 32 bytes.

    """

    key_id: str
    key: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new key of 256 random bits."""
        return cls(new_id(), secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key of a JWK (RFC 7518 section 6.4).

        Raises:
            ValueError: If the JWK is not a key of 256 bits with an id.

        """
        key = decode_base64url(jwk["k"])
        if jwk["kty"] != "oct" or not isinstance(jwk["kid"], str) or len(key) != _KEY_BYTES:
            text = "not a key of 256 bits with an id"
            raise ValueError(text)
        return cls(jwk["kid"], key)

    def to_jwk(self) -> dict[str, str]:
        """Return the JWK. Keep it secret."""
        return {"kty": "oct", "kid": self.key_id, "k": encode_base64url(self.key)}

    def apply(self, text: str) -> bytes:
        """Return HMAC-SHA256 of a text: what is then hashed slowly, 43 characters of base64url."""
        return encode_base64url(hmac.digest(self.key, text.encode(), "sha256")).encode()


PEPPER: Final = KeyKind(
    name="pepper",
    keys="keys of 256 bits with an id",
    generate=Pepper.generate,
    from_jwk=Pepper.from_jwk,
    to_jwk=Pepper.to_jwk,
    id_of=lambda key: key.key_id,
)
Peppers = KeyRing[Pepper]
"""The peppers of a service. Older ones check the hashes that were made with them."""


def load_peppers(directory: Path, name: str) -> Peppers:
    """Return a service's peppers, creating one if there is none.

    Args:
        directory: The directory of the secrets.
        name: The service's name; the file is NAME-pepper.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    return KeyRing(lambda: load_keys(directory, name, PEPPER), PEPPER.id_of)
