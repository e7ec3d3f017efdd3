"""Base64url without padding (RFC 4648 section 5, RFC 7515 section 2), and digests in that encoding."""

import base64
import hashlib
import hmac


def encode_base64url(data: bytes) -> str:
    """Return the data in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return the data of base64url text without padding.

    Raises:
        ValueError: If the text is not base64url, or not the canonical encoding (RFC 4648 section 3.5): a signed or
            single-use value must not have a second spelling.

    """
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode_base64url(data) != text:
        reason = "the base64url is not canonical"
        raise ValueError(reason)
    return data


def digest(data: bytes) -> str:
    """Return SHA-256 of the data, base64url, 43 characters."""
    return encode_base64url(hashlib.sha256(data).digest())


def keyed_digest(key: bytes, data: bytes) -> str:
    """Return HMAC-SHA256 (RFC 2104) of the data under the key, base64url, 43 characters."""
    return encode_base64url(hmac.digest(key, data, "sha256"))
