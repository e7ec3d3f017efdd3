"""Nonces that any instance can issue and any other can recognise; that each is used once, the key's owner decides.

As the Replay-Nonce of RFC 8555 section 6.5. A nonce is base64url of 8 bytes of time (milliseconds), 8 random bytes and
the first 16 bytes of an HMAC-SHA256 over both.
"""

import hmac
import secrets
from datetime import datetime
from typing import Final

from protocol.encoding import decode_base64url, encode_base64url
from protocol.signed_requests import TOLERANCE_SECONDS

_TIME_BYTES: Final = 8
_BODY_BYTES: Final = 16
_TAG_BYTES: Final = 16


class Nonces:
    """Issues and recognises the nonces of one service."""

    def __init__(self, key: bytes) -> None:
        """Take the key that all instances of the service share."""
        self._key = key

    def issue(self, now: datetime) -> str:
        """Return a new nonce."""
        body = int(now.timestamp() * 1000).to_bytes(_TIME_BYTES, "big") + secrets.token_bytes(_BODY_BYTES - _TIME_BYTES)
        return encode_base64url(body + self._tag(body))

    def recognises(self, nonce: str, now: datetime) -> bool:
        """Tell whether this service issued a nonce within the last 300 s."""
        try:
            raw = decode_base64url(nonce)
        except ValueError:
            return False
        body, tag = raw[:_BODY_BYTES], raw[_BODY_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            return False
        age_seconds = now.timestamp() - int.from_bytes(body[:_TIME_BYTES], "big") / 1000
        return -TOLERANCE_SECONDS <= age_seconds <= TOLERANCE_SECONDS

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:_TAG_BYTES]
