"""JWK sets (RFC 7517 section 5), in which a service publishes its signing keys."""

import json

from protocol.jose import PublicKey, SignatureError


def thumbprints_of(key_set: bytes) -> frozenset[str]:
    """Return the thumbprints of the P-256 keys in a JWK set's JSON; other keys are ignored (RFC 7517 section 5).

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
