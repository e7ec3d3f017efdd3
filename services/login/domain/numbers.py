"""The number of number matching: shown by the browser, entered on the phone, sent to nobody before the answer."""

import hmac
from typing import Final

SMALLEST: Final = 10
COUNT: Final = 90


def number_of(key: bytes, challenge_id: str) -> int:
    """Return the number of a challenge, 10 to 99: HMAC-SHA256 of its id, so that no row and no topic holds it."""
    tag = hmac.digest(key, b"countersign number\x00" + challenge_id.encode(), "sha256")
    return SMALLEST + int.from_bytes(tag[:8]) % COUNT
