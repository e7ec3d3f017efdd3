"""Phrases as a phone shows them and a person types them, and their digests."""

import hmac

import pytest

from protocol.encoding import encode_base64url
from protocol.phrases import draw_phrase, pairing_seal, phrase_digest, read_phrase, unknown_words, word_list

KEY = b"the pairing and login services' "


def test_a_phrase_is_two_words_of_the_list_with_a_space_between() -> None:
    phrase = draw_phrase()
    first, second = phrase.split(" ")
    assert {first, second} <= word_list()
    assert read_phrase(phrase) == (first, second)


def test_phrases_differ() -> None:
    assert len({draw_phrase() for _ in range(5)}) > 1


@pytest.mark.parametrize(
    "text", ["Velvet harbor", " VELVET\tharbor\n", "velvet-harbor", "velvet_,.harbor.", "velvet+harbor"]
)
def test_a_phrase_is_read_in_any_case_and_spacing(text: str) -> None:
    assert read_phrase(text) == ("velvet", "harbor")


def test_mistyped_words_are_named_and_the_others_are_not() -> None:
    known = min(word_list())
    assert unknown_words((known, "velvte", "Velvet")) == ("velvte", "Velvet")


def test_digest_of_a_phrase_is_the_hmac_of_its_words_in_their_context() -> None:
    text = b"countersign phrase\x00velvet harbor"
    assert phrase_digest(KEY, ("velvet", "harbor")) == encode_base64url(hmac.digest(KEY, text, "sha256"))


def test_seal_of_a_pairing_is_the_hmac_of_its_three_names_in_their_context() -> None:
    text = b"countersign device.paired\x00pairing-1\x00alex\x00device-1"
    assert pairing_seal(KEY, "pairing-1", "alex", "device-1") == encode_base64url(hmac.digest(KEY, text, "sha256"))
