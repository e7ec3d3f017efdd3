"""Names of phones, apps and accounts: one form, which every page and terminal can show."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.names import read_name
from schemas.base import NAME_CHARACTERS


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Pixel 9", "Pixel 9"),
        ("  Zoe\u0308's\u00a0 phone\n", "Zo\u00eb's phone"),
        ("\u65e5\u672c\u8a9e", "\u65e5\u672c\u8a9e"),
        ("x" * NAME_CHARACTERS, "x" * NAME_CHARACTERS),
    ],
)
def test_a_name_is_kept_in_one_form(typed: str, name: str) -> None:
    assert read_name(typed) == name


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " \t",
        "x" * (NAME_CHARACTERS + 1),
        "\x1b[31mX\x1b]0;owned\x07",
        "a\u202eb",
        "a\u200bb",
        "\x00",
        "\ud800",
        "\ufeff",
    ],
)
def test_what_cannot_be_shown_is_no_name(typed: str) -> None:
    assert read_name(typed) is None


@given(st.text(max_size=3 * NAME_CHARACTERS))
def test_a_name_is_printable_short_and_composed(typed: str) -> None:
    name = read_name(typed)
    if name is not None:
        assert name.isprintable()
        assert 1 <= len(name) <= NAME_CHARACTERS
        assert unicodedata.is_normalized("NFC", name)
        assert read_name(name) == name
