"""Codes that people copy from paper or a message: Crockford's base32, which has no letters that look like digits."""

import secrets
import unicodedata
from typing import Final

LONGEST_TYPED: Final = 64
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L and O, which look like digits, and without U: 5 bits a character."""
_LOOKALIKES: Final = str.maketrans("ILO", "110")


def draw_code(characters: int) -> str:
    """Return a random code, 5 bits a character."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def grouped(code: str, size: int) -> str:
    """Return a code as it is shown: in groups of a size, with hyphens between."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def read_code(typed: str, characters: int) -> str | None:
    """Return a code as it was drawn: upper case, without blanks and hyphens, lookalikes read as what they look like.

    Args:
        typed: The code as it was typed.
        characters: How many it has.

    Returns:
        So many characters of the alphabet, or None if it cannot be such a code.

    """
    if len(typed) > LONGEST_TYPED:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper()
    kept = "".join(each for each in plain if not each.isspace() and unicodedata.category(each) != "Pd")
    code = kept.translate(_LOOKALIKES)
    return code if len(code) == characters and set(code) <= set(_ALPHABET) else None
