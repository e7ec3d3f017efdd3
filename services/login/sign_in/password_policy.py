"""The policy for new passwords, after NIST SP 800-63B section 5.1.1.2: a minimum length, and a blocklist.

The blocklist is zxcvbn's frequency lists: leaked passwords, and common English words and names. zxcvbn's own estimate
is not used, because a crafted password makes it take seconds. There are no composition rules, and a sentence of common
words is fine.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Final

from services.login.sign_in.passwords import LONGEST_PASSWORD, prepare_password

SHORTEST_PASSWORD: Final = 12
SHORTEST_FORBIDDEN_NAME: Final = 4
"""Shorter names occur in good passwords by chance."""
_FEWEST_CHARACTERS: Final = 5
"""The least number of different characters."""
_LONGEST_WORD: Final = 32
_LONGEST_DECORATED: Final = 3
"""As a multiple of the decorated word's length."""
_SUBSTITUTES: Final = str.maketrans("@4310!5$7", "aaeioisst")


@cache
def _lists() -> tuple[Mapping[str, int], ...]:
    """Return the blocklist, which takes 12 MiB: only an instance that sets a password reads it."""
    from zxcvbn.matching import RANKED_DICTIONARIES  # noqa: PLC0415

    return tuple(RANKED_DICTIONARIES.values())


class Weakness(StrEnum):
    """Why a password is rejected."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNTYPEABLE = "untypeable"
    NAMED = "named"
    REPETITIVE = "repetitive"
    COMMON = "common"


WEAKNESS_TEXTS: Final[Mapping[Weakness, str]] = {
    Weakness.TOO_SHORT: f"A password has at least {SHORTEST_PASSWORD} characters. A short sentence works well.",
    Weakness.TOO_LONG: f"A password has at most {LONGEST_PASSWORD} characters.",
    Weakness.UNTYPEABLE: "This password has control or invisible characters, which systems leave out or change. "
    "Choose others.",
    Weakness.NAMED: "A password must not contain your name or the product's name. "
    "Choose something that only you would think of.",
    Weakness.REPETITIVE: "This password repeats itself too much to be safe. Choose another one.",
    Weakness.COMMON: "This password is among the first that an attacker would try. Choose another one.",
}
"""The text for each weakness."""


def find_weakness(password: str, names: Iterable[str]) -> Weakness | None:
    """Return why a new password is rejected, or None if it is accepted.

    Args:
        password: The password.
        names: The account's names and the product's, which it must not contain in any spelling.

    Returns:
        ``too_short``: under 12 characters. ``too_long``: over 1024. ``untypeable``: control or invisible characters,
        which OpaqueString disallows. ``named``: it contains one of the names.
        ``repetitive``: fewer than five different characters, or a run like abcdef. ``common``: a listed word, perhaps
        repeated, or decorated with digits and marks.

    """
    if len(password) > LONGEST_PASSWORD:
        return Weakness.TOO_LONG
    prepared = prepare_password(password) if password else ""
    if prepared is None:
        return Weakness.UNTYPEABLE
    if len(prepared) < SHORTEST_PASSWORD:
        return Weakness.TOO_SHORT
    plain = unicodedata.normalize("NFKC", prepared).casefold()
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
    """Yield each name, and the part of it before an @."""
    for name in names:
        yield name
        yield name.partition("@")[0]


def _letters_and_digits(text: str) -> str:
    return "".join(each for each in text if each.isalnum())


def _period(text: str) -> int:
    """Return a text's shortest period, in linear time by the failure function of Knuth, Morris and Pratt."""
    borders = [0]
    for character in text[1:]:
        border = borders[-1]
        while border and text[border] != character:
            border = borders[border - 1]
        borders.append(border + (text[border] == character))
    return len(text) - borders[-1]


def _is_run(text: str) -> bool:
    """Tell whether a text is a run of successive characters, up or down, like abcdef."""
    return {ord(after) - ord(before) for before, after in pairwise(text)} in ({1}, {-1})


def _is_common(text: str) -> bool:
    """Tell whether a text is a listed word, perhaps decorated, like P@ssw0rd, password1! or 123password."""
    return any(word in words for words in _lists() for word in _undecorated(text))


def _undecorated(text: str) -> Iterator[str]:
    """Yield the words that a text may decorate: the text with ever fewer digits and marks at its ends."""
    letters = [index for index, each in enumerate(text) if each.isalpha()] or [0]
    # A decoration twice as long as its word makes a password that no list has.
    shortest = len(text) / _LONGEST_DECORATED
    for start in {0, letters[0]}:
        # One character at a time at the end, because some listed words end in digits: trustno1, abc123.
        for end in range(letters[-1] + 1, min(len(text), start + _LONGEST_WORD) + 1):
            if end - start >= shortest:
                yield text[start:end]
                yield text[start:end].translate(_SUBSTITUTES)
