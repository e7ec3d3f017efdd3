"""Enrolment codes: by e-mail, derived from the key; and invitations, stored as digests."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.login.pairing.enrolment_codes import EnrolmentCodes, invitation_digest, new_invitation

CODES = EnrolmentCodes(b"k" * 32)


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_code_is_six_digits_and_deterministic(account_id: str, identifier: str) -> None:
    code = CODES.code(account_id, identifier)
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()
    assert EnrolmentCodes(b"k" * 32).code(account_id, identifier) == code
    assert CODES.matches(account_id, identifier, code)


def test_codes_are_spread_evenly() -> None:
    codes = [CODES.code("alex", str(number)) for number in range(2000)]
    assert len(set(codes)) > 1950
    assert {code[0] for code in codes} == set("0123456789")


def test_account_id_and_key_determine_the_code() -> None:
    code = CODES.code("alex", "one")
    others = [CODES.code("bo", "one"), CODES.code("alex", "two"), EnrolmentCodes(b"q" * 32).code("alex", "one")]
    assert code not in others
    assert CODES.code("ab", "c") != CODES.code("a", "bc")


@pytest.mark.parametrize("spelling", ["{0}", " {0}\n", "{1} {2}", "{1}-{2}"])
def test_spaces_and_hyphens_in_a_code_are_ignored(spelling: str) -> None:
    code = CODES.code("alex", "one")
    assert CODES.matches("alex", "one", spelling.format(code, code[:3], code[3:]))


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "١٢٣٤٥٦", "\ud800", "0" * 100_000, "\x00"])
def test_any_other_text_is_wrong(typed: str) -> None:
    assert not CODES.matches("alex", "one", typed)


def test_the_key_is_not_in_the_repr() -> None:
    assert "kkkk" not in repr(CODES)


def test_an_invitation_has_the_digest_of_its_code() -> None:
    code, digest = new_invitation()
    assert invitation_digest(code) == digest
    assert len(code.replace("-", "")) == 16


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code}\n"])
def test_case_spaces_and_hyphens_in_an_invitation_are_ignored(change: Callable[[str], str]) -> None:
    code, digest = new_invitation()
    assert invitation_digest(change(code)) == digest


@pytest.mark.parametrize("typed", ["", "123456", "ABCDE-FGHJK", "UUUU-UUUU-UUUU-UUUU", "A" * 10_000])
def test_a_malformed_invitation_has_no_digest(typed: str) -> None:
    assert invitation_digest(typed) is None


def test_invitations_differ() -> None:
    assert len({new_invitation()[0] for _ in range(100)}) == 100
