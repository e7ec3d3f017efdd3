"""Enrolment codes of an administrator: read however they are typed, known by their digest alone."""

from collections.abc import Callable

import pytest

from services.login.pairing.invitations import invitation_digest, new_invitation


def test_a_code_is_known_by_its_digest() -> None:
    code, digest = new_invitation()
    assert invitation_digest(code) == digest
    assert len(code.replace("-", "")) == 16


@pytest.mark.parametrize("change", [str.lower, lambda code: code.replace("-", " "), lambda code: f"  {code}\n"])
def test_capitals_blanks_and_hyphens_do_not_matter(change: Callable[[str], str]) -> None:
    code, digest = new_invitation()
    assert invitation_digest(change(code)) == digest


@pytest.mark.parametrize("typed", ["", "123456", "ABCDE-FGHJK", "UUUU-UUUU-UUUU-UUUU", "A" * 10_000])
def test_what_cannot_be_a_code_has_no_digest(typed: str) -> None:
    assert invitation_digest(typed) is None


def test_each_code_is_another() -> None:
    assert len({new_invitation()[0] for _ in range(100)}) == 100
