"""Codes by e-mail: six digits that only who has the key can make, each for one account and one id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.login.pairing.enrolment_codes import EnrolmentCodes

CODES = EnrolmentCodes(b"k" * 32)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_code_is_six_digits_and_always_the_same(account_id: str, identifier: str) -> None:
    code = CODES.code(account_id, identifier)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert EnrolmentCodes(b"k" * 32).code(account_id, identifier) == code
    assert CODES.matches(account_id, identifier, code)


def test_codes_are_spread_over_all_numbers() -> None:
    codes = [CODES.code("alex", str(number)) for number in range(2000)]
    assert len(set(codes)) > 1950
    assert {code[0] for code in codes} == set("0123456789")


def test_another_account_id_or_key_has_another_code() -> None:
    code = CODES.code("alex", "one")
    others = [CODES.code("bo", "one"), CODES.code("alex", "two"), EnrolmentCodes(b"q" * 32).code("alex", "one")]
    assert code not in others
    assert CODES.code("ab", "c") != CODES.code("a", "bc")


@pytest.mark.parametrize("spelling", ["{0}", " {0}\n", "{1} {2}", "{1}-{2}"])
def test_a_code_is_read_however_it_is_typed(spelling: str) -> None:
    code = CODES.code("alex", "one")
    assert CODES.matches("alex", "one", spelling.format(code, code[:3], code[3:]))


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 100_000, "\x00"])
def test_anything_else_is_wrong(typed: str) -> None:
    assert not CODES.matches("alex", "one", typed)


def test_the_key_shows_nowhere() -> None:
    assert "kkkk" not in repr(CODES)
