"""Codes that people type: Crockford's base32, without letters that look like digits."""

import secrets
import unicodedata
from typing import Final

LONGEST_TYPED: Final = 64
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""The digits and letters without I, L, O and U; 5 bits a character."""
_LOOKALIKES: Final = str.maketrans("ILO", "110")


def draw_code(characters: int) -> str:
    """Return a random code of so many characters, 5 bits each."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def grouped(code: str, size: int) -> str:
    """Return a code in groups of a size, with hyphens between them."""
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def read_code(typed: str, characters: int) -> str | None:
    """Return a typed code in its canonical form, or None if it cannot be a code of so many characters.

    The form is upper case, without spaces and hyphens; I, L and O are read as 1, 1 and 0.
    """
    if len(typed) > LONGEST_TYPED:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper()
    kept = "".join(each for each in plain if not each.isspace() and unicodedata.category(each) != "Pd")
    code = kept.translate(_LOOKALIKES)
    return code if len(code) == characters and set(code) <= set(_ALPHABET) else None
