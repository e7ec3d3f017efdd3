"""Looks for secrets in what a run leaves behind, however they are written there."""

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote_plus

_TIMES = re.compile(rb"\d\d:\d\d:\d\d\.\d+")
"""Their fractions of a second have six digits as well."""
_BASE64 = re.compile(rb"[A-Za-z0-9_-]{16,}")
_SIX_DIGITS = re.compile(r"\d{6}")


def find_leaks(secrets: Iterable[str | bytes], content: bytes) -> list[str | bytes]:
    """Return the secrets that are in some content, or in what is base64url in it, as the parts of a JWS are.

    Args:
        secrets: Texts as they are shown or typed, and bytes.
        content: What to search.

    """
    searched = _TIMES.sub(b"", b"\n".join([content, *_decoded(content)]))
    folded = searched.lower()
    return [each for each in secrets if _is_in(each, searched, folded)]


def deployment_keys(directory: Path) -> set[bytes]:
    """Return every secret and private key of a deployment."""
    found = {bytes.fromhex(path.read_text().strip()) for path in directory.glob("*.key")}
    for path in directory.glob("*.jwks.json"):
        for key in json.loads(path.read_text())["keys"]:
            found |= {_decode(key[member].encode()) for member in ("d", "k") if member in key}
    return found


def _is_in(secret: str | bytes, searched: bytes, folded: bytes) -> bool:
    if isinstance(secret, bytes):
        return any(form in searched for form in _forms_of_bytes(secret))
    if _SIX_DIGITS.fullmatch(secret):
        # Among the digits of a longer number it says nothing.
        return re.search(rb"(?<![0-9A-Za-z])" + secret.encode() + rb"(?![0-9A-Za-z])", searched) is not None
    return any(form.lower() in folded for form in _forms_of_text(secret))


def _forms_of_bytes(secret: bytes) -> set[bytes]:
    base32 = base64.b32encode(secret).rstrip(b"=")
    return {
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base32,
        base32.lower(),
        base64.b64encode(secret).rstrip(b"="),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
    }


def _forms_of_text(secret: str) -> set[bytes]:
    written = {secret, re.sub(r"[\s-]", "", secret), re.sub(r"\s", "-", secret), quote_plus(secret)}
    return {form.encode() for form in written}


def _decoded(content: bytes) -> list[bytes]:
    return [_decode(run) for run in set(_BASE64.findall(content))]


def _decode(run: bytes) -> bytes:
    whole = run[: len(run) - 1] if len(run) % 4 == 1 else run
    return base64.urlsafe_b64decode(whole + b"=" * (-len(whole) % 4))
