"""Codes of all kinds are read the same: digits of any script, in any width and case, with any separators."""

import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from protocol.typed_codes import CROCKFORD, DECIMAL, LONGEST_TYPED, read_code

SCRIPTS = [
    [chr(first + digit) for digit in range(10)]
    for first in range(sys.maxunicode)
    if [unicodedata.decimal(chr(first + digit), None) for digit in range(10) if first + digit <= sys.maxunicode]
    == list(range(10))
]
"""The ten digits of each script that Unicode knows."""
separators = st.text(
    st.characters(categories=["Zs", "Zl", "Zp", "Pd", "Po", "Pc", "Cf", "Cc"]), max_size=2
)  # spaces, punctuation, and what is invisible


@given(st.text(DECIMAL, min_size=6, max_size=6), st.sampled_from(SCRIPTS), st.lists(separators, min_size=7, max_size=7))
def test_six_digits_of_any_script_are_read_with_any_separators(
    code: str, script: list[str], between: list[str]
) -> None:
    typed = between[0] + "".join(script[int(digit)] + gap for digit, gap in zip(code, between[1:], strict=True))
    assert read_code(typed, 6, DECIMAL) == code


@given(
    code=st.text(CROCKFORD, min_size=10, max_size=10),
    between=st.lists(separators, min_size=10, max_size=10),
    wide=st.booleans(),
)
def test_letters_are_read_in_any_case_and_width(code: str, between: list[str], *, wide: bool) -> None:
    typed = "".join(character.lower() + gap for character, gap in zip(code, between, strict=True))
    if wide:
        typed = "".join(chr(ord(each) + 0xFEE0) if each.isascii() and each.isalnum() else each for each in typed)
    assert read_code(typed, 10, CROCKFORD) == code


@given(st.text(max_size=LONGEST_TYPED + 1))
def test_any_other_text_is_no_code(typed: str) -> None:
    code = read_code(typed, 6, DECIMAL)
    assert code is None or (len(code) == 6 and code.isascii() and code.isdigit())


def test_all_scripts_are_tried() -> None:
    assert len(SCRIPTS) > 50
