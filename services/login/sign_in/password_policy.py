"""Which new passwords will do, after NIST SP 800-63B section 5.1.1.2: long enough, and none of the first guesses.

The words that are guessed first are zxcvbn's frequency lists: leaked passwords, and common words and names of English.
Its own estimate of a whole password is left aside, because somebody who means to can make it take seconds.
There are no rules of composition, and a sentence of common words is welcome.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Final

from zxcvbn.matching import RANKED_DICTIONARIES

from services.login.sign_in.passwords import LONGEST_PASSWORD

SHORTEST_PASSWORD: Final = 12
SHORTEST_FORBIDDEN_NAME: Final = 4
"""Shorter names occur in good passwords by chance."""
_FEWEST_CHARACTERS: Final = 5
"""So many different ones, at the least."""
_LONGEST_WORD: Final = 32
_LONGEST_DECORATED: Final = 3
"""As a multiple of the word that is decorated."""
_LISTS: Final = tuple(RANKED_DICTIONARIES.values())
_SUBSTITUTES: Final = str.maketrans("@4310!5$7", "aaeioisst")


class Weakness(StrEnum):
    """Why a password will not do."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NAMED = "named"
    REPETITIVE = "repetitive"
    COMMON = "common"


WEAKNESS_TEXTS: Final[Mapping[Weakness, str]] = {
    Weakness.TOO_SHORT: f"A password has at least {SHORTEST_PASSWORD} characters. A short sentence works well.",
    Weakness.TOO_LONG: f"A password has at most {LONGEST_PASSWORD} characters.",
    Weakness.NAMED: "A password must not contain your name or the product's name. "
    "Choose something that only you would think of.",
    Weakness.REPETITIVE: "This password repeats itself too much to be safe. Choose another one.",
    Weakness.COMMON: "This password is among the first that an attacker tries. Choose another one.",
}
"""What people read of each weakness."""


def find_weakness(password: str, names: Iterable[str]) -> Weakness | None:
    """Tell why a new password will not do; the first reason there is.

    Args:
        password: The password.
        names: What it must not contain, in any spelling: the account's names and the product's.

    Returns:
        ``too_short``: under 12 characters. ``too_long``: over 1024. ``named``: it contains one of the names.
        ``repetitive``: fewer than five different characters, or a run such as abcdef. ``common``: a listed word as it
        is, repeated, or decorated with digits and marks. None if it will do.

    """
    if len(password) < SHORTEST_PASSWORD:
        return Weakness.TOO_SHORT
    if len(password) > LONGEST_PASSWORD:
        return Weakness.TOO_LONG
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _contains_name(plain, names):
        return Weakness.NAMED
    if len(set(plain)) < _FEWEST_CHARACTERS or _is_run(plain):
        return Weakness.REPETITIVE
    unit = plain[: _period(plain)]
    return Weakness.COMMON if _is_common(plain) or _is_common(unit) else None


def _contains_name(plain: str, names: Iterable[str]) -> bool:
    letters = _letters_and_digits(plain)
    forbidden = (_letters_and_digits(unicodedata.normalize("NFKC", name).casefold()) for name in _parts(names))
    return any(len(name) >= SHORTEST_FORBIDDEN_NAME and name in letters for name in forbidden)


def _parts(names: Iterable[str]) -> Iterator[str]:
    """Give each name, and what stands before the @ of an address."""
    for name in names:
        yield name
        yield name.partition("@")[0]


def _letters_and_digits(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


def _period(text: str) -> int:
    """Return the least number of characters whose repetition gives the text, the last time perhaps cut short.

    By the failure function of Knuth, Morris and Pratt, so that a long text takes no longer than its length.
    """
    borders = [0]
    for character in text[1:]:
        border = borders[-1]
        while border and text[border] != character:
            border = borders[border - 1]
        borders.append(border + (text[border] == character))
    return len(text) - borders[-1]


def _is_run(text: str) -> bool:
    """Tell whether each character is the one after, or the one before, its neighbour, as in abcdef."""
    return {ord(after) - ord(before) for before, after in pairwise(text)} in ({1}, {-1})


def _is_common(text: str) -> bool:
    """Tell whether a text is a listed word, perhaps decorated: P@ssw0rd, password1!, 123password."""
    return any(word in words for words in _LISTS for word in _undecorated(text))


def _undecorated(text: str) -> Iterator[str]:
    """Give what a text may be a decoration of: it with fewer and fewer digits and marks at its ends."""
    letters = [index for index, each in enumerate(text) if each.isalpha()] or [0]
    # What is decorated twice as long as itself is as good as the decoration, which nobody lists.
    shortest = len(text) / _LONGEST_DECORATED
    for start in {0, letters[0]}:
        # One by one at the end, because some listed words end in digits themselves: trustno1, abc123.
        for end in range(letters[-1] + 1, min(len(text), start + _LONGEST_WORD) + 1):
            if end - start >= shortest:
                yield text[start:end]
                yield text[start:end].translate(_SUBSTITUTES)
