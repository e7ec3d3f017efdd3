"""Names that people give to phones, apps and accounts, read into one form that every page and terminal can show."""

import unicodedata
from typing import Final

from schemas.base import NAME_CHARACTERS

LONGEST_DISPLAY_NAME: Final = 120


def read_name(typed: str, most: int = NAME_CHARACTERS) -> str | None:
    """Return a typed name: NFC, with single spaces inside and none around.

    The result is None if it is empty, longer than ``most`` characters, or holds what is not printable, such as control
    characters and those that turn the direction of writing.
    """
    name = " ".join(unicodedata.normalize("NFC", typed[: 4 * most]).split())
    return name if 1 <= len(name) <= most and name.isprintable() else None
