"""Keys at rest: random secrets, signing keys and agreement keys, made when missing.

All instances of a deployment see the same directory (or the same mounted secrets).
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocol.agreement import AgreementPrivateKey
from protocol.jose import PrivateKey, PublicJwk
from services.common.keys.key_files import KeyFileError, KeyKind, load_keys, read_or_make
from services.common.keys.key_ring import KeyRing

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
    """Return a random secret, making it if there is none yet.

    Args:
        directory: Where secrets are kept.
        name: The secret's name; the file is NAME.key, 64 hexadecimal digits.

    Returns:
        32 bytes.

    Raises:
        KeyFileError: If the file cannot be read or made, or holds something else.

    """
    path = directory / f"{name}.key"
    text = read_or_make(path, lambda: secrets.token_hex(SECRET_BYTES))
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        message = (
            f"{path} does not hold {SECRET_BYTES * 2} hexadecimal digits; restore it, or remove it to make a new one"
        )
        raise KeyFileError(message)
    return secret


def require_secret(directory: Path, name: str) -> bytes:
    """Return a random secret that none but a service makes.

    Args:
        directory: Where secrets are kept.
        name: The secret's name.

    Raises:
        KeyFileError: If there is none yet, or its file cannot be read or holds something else.

    """
    if not (directory / f"{name}.key").exists():
        text = f"{directory / name}.key is not there; the services make it at their start"
        raise KeyFileError(text)
    return load_secret(directory, name)


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys that a service signs its challenges with.

    Attributes:
        active: The one that signs.
        all: The active one first, then those that are on their way in or out; all are published and accepted.

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
    """Return a service's signing keys, making one if there is none yet.

    To rotate without downtime, by ``countersign keys rotate signing``: add a new key at the end of the list, restart;
    when devices had time to see it, move it to the front, restart; later remove the old one.

    Args:
        directory: Where secrets are kept.
        name: The service's name; the file is NAME-signing.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or made, or holds something else.

    """
    keys = load_keys(directory, name, SIGNING)
    return SigningKeys(keys[0], keys)


AgreementKeys = KeyRing[AgreementPrivateKey]
"""The keys that the secrets of verification codes are derived with. Old ones still derive."""


def load_agreement_keys(directory: Path, name: str) -> AgreementKeys:
    """Return a service's keys for key agreement, making one if there is none yet.

    Args:
        directory: Where secrets are kept.
        name: The service's name; the file is NAME-agreement.jwks.json, a private JWK set.

    Raises:
        KeyFileError: If the file cannot be read or made, or holds something else.

    """
    return KeyRing(lambda: load_keys(directory, name, AGREEMENT), AGREEMENT.id_of)
