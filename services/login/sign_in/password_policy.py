"""The policy for new passwords, after NIST SP 800-63B-4 section 3.1.1.2: a minimum length, and a blocklist.

The blocklist is zxcvbn's frequency lists: leaked passwords, and common English words and names. zxcvbn's own estimate
is not used, because a crafted password makes it take seconds. There are no composition rules, and a sentence of common
words is fine. A deployment adds words of its own, and a filter of breached passwords.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from services.login.breached_passwords import BreachedPasswords
from services.login.forbidden_words import SHORTEST_FORBIDDEN, letters_and_digits, read_words
from services.login.sign_in.passwords import LONGEST_PASSWORD, prepare_password

SHORTEST_PASSWORD: Final = 12
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
    FORBIDDEN = "forbidden"
    BREACHED = "breached"


WEAKNESS_TEXTS: Final[Mapping[Weakness, str]] = {
    Weakness.TOO_SHORT: f"A password has at least {SHORTEST_PASSWORD} characters. A short sentence works well.",
    Weakness.TOO_LONG: f"A password has at most {LONGEST_PASSWORD} characters.",
    Weakness.UNTYPEABLE: "This password has control or invisible characters, which systems leave out or change. "
    "Choose others.",
    Weakness.NAMED: "A password must not contain your name or the product's name. "
    "Choose something that only you would think of.",
    Weakness.REPETITIVE: "This password repeats itself too much to be safe. Choose another one.",
    Weakness.COMMON: "This password is among the first that an attacker would try. Choose another one.",
    Weakness.FORBIDDEN: "This password contains a word that your organisation does not allow. Choose another one.",
    Weakness.BREACHED: "This password has appeared in a data breach. Choose another one.",
}
"""The text for each weakness."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """The policy of a deployment.

    Attributes:
        product_name: The product's name, which no password may contain.
        words: Further words that none may contain, in any spelling.
        breached: The filter of breached passwords; None for none.

    """

    product_name: str
    words: tuple[str, ...] = ()
    breached: BreachedPasswords | None = field(default=None, repr=False)

    def find_weakness(self, password: str, *names: str) -> Weakness | None:
        """Return why a new password is rejected, or None if it is accepted.

        Args:
            password: The password.
            names: The account's names, which it must not contain.

        Raises:
            FilterError: If the filter of breached passwords is damaged.

        """
        weakness = find_weakness(password, (*names, self.product_name))
        if weakness is not None:
            return weakness
        prepared = prepare_password(password) or ""
        if _contains_name(unicodedata.normalize("NFKC", prepared).casefold(), self.words):
            return Weakness.FORBIDDEN
        return Weakness.BREACHED if self.breached is not None and prepared in self.breached else None


def load_policy(product_name: str, words: Path | None, breached: Path | None) -> PasswordPolicy:
    """Return a deployment's policy.

    Args:
        product_name: The product's name.
        words: The file of its own words, or None; see `read_words`.
        breached: The filter of breached passwords, or None.

    Raises:
        ValueError: If a file cannot be used; the text says which.

    """
    own = () if words is None else read_words(words)
    return PasswordPolicy(product_name, own, None if breached is None else BreachedPasswords(breached))


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
    letters = letters_and_digits(plain)
    forbidden = (letters_and_digits(unicodedata.normalize("NFKC", name).casefold()) for name in _parts(names))
    return any(len(name) >= SHORTEST_FORBIDDEN and name in letters for name in forbidden)


def _parts(names: Iterable[str]) -> Iterator[str]:
    """Yield each name, and the part of it before an @."""
    for name in names:
        yield name
        yield name.partition("@")[0]


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
