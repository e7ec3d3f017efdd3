"""Enrolment codes, which admit to the first pairing: sent by e-mail, or handed out by an administrator.

A code by e-mail is six digits that follow from a secret key and the code's id (HMAC-SHA256, RFC 2104). So the instance
that sends the e-mail and the instance that checks the code share no store, and Kafka holds no code. An administrator's
code is random; the account's row holds its SHA-256.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final

from protocol.encoding import digest
from protocol.typed_codes import CROCKFORD, DECIMAL, read_code
from services.login.codes.drawn_codes import draw_code, grouped

DIGITS: Final = 6
INVITATION_CHARACTERS: Final = 16
"""80 random bits: too many to find a code from its digest."""
_PURPOSE: Final = b"countersign enrolment code v1"
_GROUP_CHARACTERS: Final = 4


@dataclass(frozen=True, slots=True)
class EnrolmentCodes:
    """Makes and checks the codes that are sent by e-mail.

    Attributes:
        key: A secret of 32 bytes, the same in all instances.

    """

    key: bytes = field(repr=False)

    def code(self, account_id: str, identifier: str) -> str:
        """Return a code: six digits, cut from HMAC-SHA256 over the account and the code's id."""
        # No part holds a zero byte, so no two pairs give the same bytes.
        parts = (_PURPOSE, account_id.encode(), identifier.encode())
        number = int.from_bytes(hmac.digest(self.key, b"\x00".join(parts), "sha256"))
        return str(number % 10**DIGITS).zfill(DIGITS)

    def matches(self, account_id: str, identifier: str, typed: str) -> bool:
        """Tell whether a typed text is the code, in constant time."""
        digits = read_code(typed, DIGITS, DECIMAL)
        return digits is not None and hmac.compare_digest(self.code(account_id, identifier), digits)


def new_invitation() -> tuple[str, str]:
    """Return a new administrator's code, XXXX-XXXX-XXXX-XXXX, and its digest: SHA-256, base64url, 43 characters."""
    code = draw_code(INVITATION_CHARACTERS)
    return grouped(code, _GROUP_CHARACTERS), digest(code.encode("ascii"))


def invitation_digest(typed: str) -> str | None:
    """Return the digest of a typed administrator's code, or None if the text cannot be a code."""
    code = read_code(typed, INVITATION_CHARACTERS, CROCKFORD)
    return None if code is None else digest(code.encode("ascii"))
