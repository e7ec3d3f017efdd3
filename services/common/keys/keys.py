"""Keys at rest: random secrets, signing keys and agreement keys; missing ones are created.

All instances of a deployment share the same directory or the same mounted secrets.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.agreement import AgreementPrivateKey
from protocol.jose import PrivateKey, PublicJwk
from services.common.keys.key_files import KeyFileError, KeyKind, KeyRing, load_keys, read_or_create

SECRET_BYTES = 32

SIGNING: Final = KeyKind(
    name="signing",
    keys="P-256 keys",
    generate=PrivateKey.generate,
    from_jwk=PrivateKey.from_jwk,
    to_jwk=PrivateKey.to_jwk,
    id_of=lambda key: key.public.thumbprint,
)
AGREEMENT: Final = KeyKind(
    name="agreement",
    keys="P-256 keys",
    generate=AgreementPrivateKey.generate,
    from_jwk=AgreementPrivateKey.from_jwk,
    to_jwk=AgreementPrivateKey.to_jwk,
    id_of=lambda key: key.key_id,
)


def load_secret(directory: Path, name: str) -> bytes:
    """Return a random secret, creating it if it is missing.

    Args:
        directory: The directory of the secrets.
        name: The secret's name; the file is NAME.key, 64 hexadecimal digits.

    Returns:
        32 bytes.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    path = directory / f"{name}.key"
    text = read_or_create(path, lambda: secrets.token_hex(SECRET_BYTES))
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        message = (
            f"{path} does not hold {SECRET_BYTES * 2} hexadecimal digits; restore it, or remove it to create a new one"
        )
        raise KeyFileError(message)
    return secret


def require_secret(directory: Path, name: str) -> bytes:
    """Return a random secret that only a service creates; see `load_secret`.

    Raises:
        KeyFileError: If the file is missing or cannot be read, or its content is invalid.

    """
    if not (directory / f"{name}.key").exists():
        text = f"{directory / name}.key is missing; the services create it at their start"
        raise KeyFileError(text)
    return load_secret(directory, name)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys that sign a service's challenges.

    Attributes:
        active: The key that signs.
        all: The active key, then the new and old keys of a rotation; all are published and accepted.

    """

    active: PrivateKey
    all: tuple[PrivateKey, ...]

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The keys' ids, the active one first."""
        return tuple(key.public.thumbprint for key in self.all)

    def public_set(self) -> dict[str, list[PublicJwk]]:
        """Return the JWK set to publish (RFC 7517 section 5)."""
        return {
            "keys": [{**key.public.jwk, "kid": key.public.thumbprint, "use": "sig", "alg": "ES256"} for key in self.all]
        }


def load_signing_keys(directory: Path, name: str) -> SigningKeys:
    """Return a service's signing keys, creating one if there is none.

    ``countersign keys rotate signing`` rotates without downtime: add a new key at the end of the list and restart.
    After the devices have fetched it, move it to the front and restart. Later remove the old key.

    Args:
        directory: The directory of the secrets.
        name: The service's name; the file is NAME-signing.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    keys = load_keys(directory, name, SIGNING)
    return SigningKeys(keys[0], keys)


AgreementKeys = KeyRing[AgreementPrivateKey]
"""The keys that derive the secrets of verification codes. Old keys derive the secrets of older pairings."""


def load_agreement_keys(directory: Path, name: str) -> AgreementKeys:
    """Return a service's keys for key agreement, creating one if there is none.

    Args:
        directory: The directory of the secrets.
        name: The service's name; the file is NAME-agreement.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or created, or its content is invalid.

    """
    return KeyRing(lambda: load_keys(directory, name, AGREEMENT), AGREEMENT.id_of)
