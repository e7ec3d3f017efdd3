"""Codes by e-mail that admit to the first pairing: six digits that follow from a secret key and the code's id.

So whoever writes the e-mail and whoever checks what was typed need no store between them, and Kafka has no code.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

DIGITS: Final = 6
_PURPOSE: Final = b"countersign enrolment code v1"
_LONGEST_TYPED: Final = 64


@dataclass(frozen=True, slots=True)
class EnrolmentCodes:
    """Makes and checks codes.

    Attributes:
        key: A secret of 32 bytes, the same in all instances.

    """

    key: bytes = field(repr=False)

    def code(self, account_id: str, identifier: str) -> str:
        """Return a code: HMAC-SHA256 (RFC 2104) over account and id, cut to six digits.

        Args:
            account_id: The account.
            identifier: Names the code; another one gives another code.

        """
        # The parts hold no zero byte, so no two pairs of them give the same bytes.
        parts = (_PURPOSE, account_id.encode(), identifier.encode())
        number = int.from_bytes(hmac.digest(self.key, b"\x00".join(parts), "sha256"))
        return str(number % 10**DIGITS).zfill(DIGITS)

    def matches(self, account_id: str, identifier: str, typed: str) -> bool:
        """Tell whether what was typed is the code, blanks and hyphens aside; the time it takes tells nothing of it."""
        if len(typed) > _LONGEST_TYPED:
            return False
        digits = "".join(typed.split()).replace("-", "")
        return hmac.compare_digest(self.code(account_id, identifier).encode(), digits.encode(errors="replace"))
