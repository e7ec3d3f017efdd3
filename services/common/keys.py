"""Keys at rest: random secrets and signing keys, one file each, made when missing.

All instances of a deployment see the same directory (or the same mounted secrets).
"""

import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.jose import PrivateKey, PublicJwk

SECRET_BYTES = 32


class KeyFileError(ValueError):
    """A key file that cannot be read or used; its text names the file and says what to do."""


def load_secret(directory: Path, name: str) -> bytes:
    """Return a random secret, making it if there is none yet.

    Args:
        directory: Where secrets are kept.
        name: The secret's name; the file is NAME.key, 64 hexadecimal digits.

    Returns:
        32 bytes.

    """
    path = directory / f"{name}.key"
    text = _read_or_make(path, lambda: secrets.token_hex(SECRET_BYTES))
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

    To rotate without downtime: add a new key at the end of the file's list, restart; when devices had time to see it,
    move it to the front, restart; later remove the old one.

    Args:
        directory: Where secrets are kept.
        name: The service's name; the file is NAME-signing.jwks.json, a private JWK set.

    """
    path = directory / f"{name}-signing.jwks.json"
    text = _read_or_make(path, lambda: json.dumps({"keys": [PrivateKey.generate().to_jwk()]}, indent=2))
    try:
        document: Any = json.loads(text)
        keys = tuple(PrivateKey.from_jwk(each) for each in document["keys"])
        return SigningKeys(keys[0], keys)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"{path} is not a private JWK set of P-256 keys; restore it, or remove it to make a new one"
        raise KeyFileError(message) from error


def _read_or_make(path: Path, make: Callable[[], str]) -> str:
    """Read a file, or make it."""
    try:
        if not path.exists():
            _make(path, make)
        return path.read_text()
    except OSError as error:
        message = f"{path} can be neither read nor made: {error.strerror}"
        raise KeyFileError(message) from error
    except UnicodeDecodeError:
        message = f"{path} is not text; restore it, or remove it to make a new one"
        raise KeyFileError(message) from None


def _make(path: Path, make: Callable[[], str]) -> None:
    """Make a file; of several processes that make it at once, the first one's content stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(make())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
