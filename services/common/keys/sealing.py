"""Encryption of secrets at rest ("sealing"): JSON Web Encryption (RFC 7516) with AES-256-GCM under a key ring.

The header of a sealed text names its key; the plaintext includes the context. So a sealed text that is copied to
another account's row does not open there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OctKey

from protocol.encoding import decode_base64url, encode_base64url
from services.common.clock import new_id
from services.common.keys.key_files import KeyKind, KeyRing, load_keys

_ALGORITHMS: Final = ("dir", "A256GCM")
_KEY_BYTES: Final = 32


class SealError(ValueError):
    """A sealed text that does not open: altered, of another context, or sealed under a retired key."""


@dataclass(frozen=True, slots=True)
class SealingKey:
    """A key that seals.

    Attributes:
        key_id: Its id, random.
        key: The key itself.

    """

    key_id: str
    key: OctKey = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Return a new key of 256 random bits."""
        return cls(new_id(), OctKey.generate_key(_KEY_BYTES * 8))

    @classmethod
    def from_jwk(cls, jwk: Mapping[str, Any]) -> Self:
        """Return the key of a JWK (RFC 7518 section 6.4).

        Raises:
            ValueError: If the JWK is not a key of 256 bits with an id.

        """
        if jwk["kty"] != "oct" or not isinstance(jwk["kid"], str) or len(decode_base64url(jwk["k"])) != _KEY_BYTES:
            text = "not a key of 256 bits with an id"
            raise ValueError(text)
        return cls(jwk["kid"], OctKey.import_key({"kty": "oct", "k": jwk["k"]}))

    def to_jwk(self) -> dict[str, str]:
        """Return the JWK. Keep it secret."""
        return {"kty": "oct", "kid": self.key_id, "k": encode_base64url(self.key.raw_value)}


SEALING: Final = KeyKind(
    name="sealing",
    keys="keys of 256 bits with an id",
    generate=SealingKey.generate,
    from_jwk=SealingKey.from_jwk,
    to_jwk=SealingKey.to_jwk,
    id_of=lambda key: key.key_id,
)


class Sealer:
    """Seals secrets under the active key of a ring, and opens texts sealed under any of its keys."""

    def __init__(self, keys: KeyRing[SealingKey]) -> None:
        self._keys = keys

    def seal(self, text: str, context: tuple[str, ...]) -> str:
        """Encrypt a text together with its context.

        Args:
            text: The secret.
            context: Ids of the owner, for example the account's and the method's.

        Returns:
            A compact JWE, of 4/3 the length of text and context plus about 200 characters.

        """
        active = self._keys.active
        algorithm, encryption = _ALGORITHMS
        header = {"alg": algorithm, "enc": encryption, "kid": active.key_id}
        inside = json.dumps({"context": context, "text": text}).encode()
        return jwe.encrypt_compact(header, inside, active.key, algorithms=_ALGORITHMS)

    def open(self, sealed: str, context: tuple[str, ...]) -> str:
        """Return the plaintext of a sealed text.

        Args:
            sealed: The compact JWE from `seal`.
            context: The same context as at `seal`.

        Raises:
            SealError: If it does not open.

        """
        try:
            data = jwe.decrypt_compact(sealed, self._key_of, algorithms=_ALGORITHMS).plaintext
        except SealError:
            raise
        except (JoseError, ValueError, TypeError, KeyError) as error:
            text = f"not a sealed text, or altered: {type(error).__name__}"
            raise SealError(text) from error
        inside: dict[str, Any] = json.loads(data or b"")
        if tuple(inside["context"]) != context:
            text = "sealed for another context"
            raise SealError(text)
        return str(inside["text"])

    def _key_of(self, sealed: GuestProtocol) -> OctKey:
        """Return the key that a sealed text names."""
        key = self._keys.find(str(sealed.headers()["kid"]))
        if key is None:
            text = "sealed under a key that was retired"
            raise SealError(text)
        return key.key


def load_sealer(directory: Path, name: str) -> Sealer:
    """Return the sealer of a service's secrets at rest, creating its first key if there is none.

    Args:
        directory: The directory of the secrets.
        name: The service's name; the file is NAME-sealing.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    return Sealer(KeyRing(lambda: load_keys(directory, name, SEALING), SEALING.id_of))
