"""Enrolment codes that an administrator hands out: what the first pairing needs beside the password."""

from typing import Final

from protocol.encoding import digest
from services.login.codes.typed_codes import draw_code, grouped, read_code

CHARACTERS: Final = 16
"""80 random bits: too many to find a code from its digest."""
_GROUP: Final = 4


def new_invitation() -> tuple[str, str]:
    """Return a new code as it is shown, and its digest: SHA-256, base64url, 43 characters."""
    code = draw_code(CHARACTERS)
    return grouped(code, _GROUP), _digest(code)


def invitation_digest(typed: str) -> str | None:
    """Return the digest of a code as it was typed, or None if it cannot be one."""
    code = read_code(typed, CHARACTERS)
    return None if code is None else _digest(code)


def _digest(code: str) -> str:
    return digest(code.encode("ascii"))
