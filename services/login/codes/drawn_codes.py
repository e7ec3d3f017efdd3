"""Codes that are handed out to be typed: Crockford's base32, without letters that look like digits."""

import secrets

from protocol.typed_codes import CROCKFORD


def draw_code(characters: int) -> str:
    """Return a random code of so many characters, 5 bits each."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(characters))


def grouped(code: str, size: int) -> str:
    """Return a code in groups of a size, with hyphens between them."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))
