"""HKDF-SHA256 with HMAC only, line by line as in RFC 5869, as a reference for the library."""

import hmac


def hkdf_sha256(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """Return key material (RFC 5869, sections 2.2 and 2.3).

    Args:
        key: The input keying material.
        salt: The salt; empty stands for 32 zero bytes.
        info: The context.
        length: How many bytes to return, at most 255 * 32.

    """
    extracted = hmac.digest(salt or bytes(32), key, "sha256")
    block, output = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(extracted, block + info + bytes([number]), "sha256")
        output += block
    return output[:length]
