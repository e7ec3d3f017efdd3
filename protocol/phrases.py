"""Pairing phrases: how they are drawn, read, and kept out of Kafka; and the seal on what the pairing service decided.

Two words of the EFF's long word list (7,776 words, of which those of letters alone are used) make
2 x log2(7,772) = 25.8 bits, which is few enough to try all against a plain hash: so only a keyed digest travels.
"""

import re
import secrets
from functools import cache
from importlib import resources
from typing import Final

from protocol.encoding import keyed_digest

WORDS: Final = 2
_LIST: Final = "eff-long"
_GAP: Final = re.compile(r"[\s_\-.,+]+")
_PHRASE_CONTEXT: Final = b"countersign phrase\x00"
_SEAL_CONTEXT: Final = b"countersign device.paired\x00"


@cache
def word_list() -> frozenset[str]:
    """Return the words, lower case, letters only; as the package xkcdpass ships the EFF's list."""
    text = resources.files("xkcdpass").joinpath("static", _LIST).read_text("utf-8")
    return frozenset(word for word in text.split() if word.isascii() and word.isalpha() and word.islower())


@cache
def _sorted_words() -> tuple[str, ...]:
    return tuple(sorted(word_list()))


def draw_phrase() -> str:
    """Draw a phrase at random: two words with a space between."""
    return " ".join(secrets.choice(_sorted_words()) for _ in range(WORDS))


def read_phrase(text: str) -> tuple[str, ...]:
    """Return the words that a person typed, in any case and spacing."""
    return tuple(word for word in _GAP.split(text.casefold()) if word)


def unknown_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return those words that no phrase has: they were mistyped."""
    return tuple(word for word in words if word not in word_list())


def phrase_digest(key: bytes, words: tuple[str, ...]) -> str:
    """Return the digest that stands for a phrase: HMAC-SHA256 under the key of the pairing and login services."""
    return keyed_digest(key, _PHRASE_CONTEXT + " ".join(words).encode())


def pairing_seal(key: bytes, pairing_id: str, account_id: str, device_id: str) -> str:
    """Return the seal on a pairing that came about: only who holds the key can have decided it."""
    return keyed_digest(key, _SEAL_CONTEXT + f"{pairing_id}\x00{account_id}\x00{device_id}".encode())
