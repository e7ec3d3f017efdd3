"""Pairing phrases: drawing, parsing and keyed digests; and the seal of the pairing service on its decisions.

Two words of the EFF's long word list (7,776 words, of which the 7,772 with letters only are used) have
2 x log2(7,772) = 25.8 bits of entropy. An attacker could try all of them against a plain hash, so Kafka carries only a
keyed digest.
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
    """Return the words, lower case and letters only, from the EFF's list in the package xkcdpass."""
    text = resources.files("xkcdpass").joinpath("static", _LIST).read_text("utf-8")
    return frozenset(word for word in text.split() if word.isascii() and word.isalpha() and word.islower())


@cache
def _sorted_words() -> tuple[str, ...]:
    return tuple(sorted(word_list()))


def draw_phrase() -> str:
    """Return a random phrase: two words, separated by a space."""
    return " ".join(secrets.choice(_sorted_words()) for _ in range(WORDS))


def read_phrase(text: str) -> tuple[str, ...]:
    """Return the words that a person typed, regardless of case and separators."""
    return tuple(word for word in _GAP.split(text.casefold()) if word)


def unknown_words(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that are not in the list, which are typing errors."""
    return tuple(word for word in words if word not in word_list())


def phrase_digest(key: bytes, words: tuple[str, ...]) -> str:
    """Return a phrase's digest: HMAC-SHA256 under the key that the pairing and login services share."""
    return keyed_digest(key, _PHRASE_CONTEXT + " ".join(words).encode())


def pairing_seal(key: bytes, pairing_id: str, account_id: str, device_id: str) -> str:
    """Return the seal of an accepted pairing: HMAC-SHA256, which only a holder of the key can compute."""
    return keyed_digest(key, _SEAL_CONTEXT + f"{pairing_id}\x00{account_id}\x00{device_id}".encode())
