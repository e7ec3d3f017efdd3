"""Sign-in names as people type them, and their digests."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import digest
from services.login.directory import LONGEST_NAME, digest_name, prepare_name

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("anna", "anna"),
        ("  Anna\t", "anna"),
        ("anna+vpn@example.org", "anna+vpn@example.org"),
        ("Ann.Lee@Example.ORG", "ann.lee@example.org"),
        ("\uff21\uff4e\uff4e\uff41", "anna"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("M\u00fcller", "m\u00fcller"),
        ("mu\u0308ller", "m\u00fcller"),
        ("user@b\u00fccher.example", "user@b\u00fccher.example"),
        ("DOMAIN\\ann", "domain\\ann"),
        ("\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e"),
    ],
)
def test_a_name_is_the_same_however_it_is_typed(typed: str, name: str) -> None:
    assert prepare_name(typed) == name
    assert digest_name(KEY, typed) == digest_name(KEY, name)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "bob smith",
        "ann\u200b",
        "ann\u202e",
        "a\x00b",
        "\ud800",
        "a" * (LONGEST_NAME + 1),
        "\ufb01nn",
        "\u2168",
    ],
)
def test_what_no_account_can_have_is_no_name(typed: str) -> None:
    assert prepare_name(typed) is None
    assert len(digest_name(KEY, typed)) == 43


@given(st.text(max_size=LONGEST_NAME))
def test_preparing_a_name_again_changes_nothing(typed: str) -> None:
    name = prepare_name(typed)
    if name is not None:
        assert prepare_name(name) == name
        assert prepare_name(unicodedata.normalize("NFD", name)) == name


def test_a_digest_needs_the_key_and_tells_names_from_other_text() -> None:
    typed = "Tr0ub4dor&3 xkcd"
    keyed = digest_name(KEY, typed)
    assert keyed not in {digest(typed.encode()), digest(b"name\x00" + typed.encode()), digest_name(b"q" * 32, typed)}
    assert len({digest_name(KEY, each) for each in ("anna", "anna b", "bo", typed)}) == 4
