"""Codes that people type, read into one form: digits of any script, in any width and case, with any separators."""

import unicodedata
from typing import Final

DECIMAL: Final = "0123456789"
CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: the digits and letters without I, L, O and U, 5 bits a character."""
LONGEST_TYPED: Final = 64
_LOOKALIKES: Final = str.maketrans("ILO", "110")


def read_code(typed: str, characters: int, alphabet: str) -> str | None:
    """Return a typed code in its canonical form, or None if the text cannot be a code.

    Digits of all scripts are read as 0 to 9, letters in upper case, and I, L and O as 1, 1 and 0. All else, such as
    spaces, hyphens and invisible characters, separates and is left out.

    Args:
        typed: The text.
        characters: How many characters a code has.
        alphabet: Its characters: `DECIMAL` or `CROCKFORD`.

    """
    if len(typed) > LONGEST_TYPED:
        return None
    plain = unicodedata.normalize("NFKC", typed).upper().translate(_LOOKALIKES)
    code = "".join(_read_character(each) for each in plain if each.isalnum())
    return code if len(code) == characters and set(code) <= set(alphabet) else None


def _read_character(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
