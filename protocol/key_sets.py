"""JWK sets (RFC 7517 section 5): which keys a service signs with."""

import json

from protocol.jose import PublicKey, SignatureError


def thumbprints_of(key_set: bytes) -> frozenset[str]:
    """Read a JWK set.

    Args:
        key_set: Its JSON.

    Returns:
        The thumbprints of its P-256 keys, computed here; other keys are passed over (RFC 7517 section 5).

    Raises:
        ValueError: If it is not a JWK set.

    """
    try:
        keys = json.loads(key_set)["keys"]
        return frozenset(filter(None, map(_thumbprint, keys)))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        text = "not a JWK set"
        raise ValueError(text) from error


def _thumbprint(jwk: object) -> str | None:
    try:
        return PublicKey.from_jwk(jwk).thumbprint if isinstance(jwk, dict) else None
    except SignatureError:
        return None
