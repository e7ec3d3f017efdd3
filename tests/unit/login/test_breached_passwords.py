"""The filter of breached passwords: built from a public list, whole or refused."""

import hashlib
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from cli.__main__ import app
from services.login.breached_passwords import LONGEST_LINE, BreachedPasswords, FilterError, build_filter
from services.login.sign_in.password_policy import Weakness, load_policy

BREACHED: Final = "a quiet harbour of 1987"
LIST: Final = f"{BREACHED}\r\n\nzwölf Boxkämpfer\n".encode()


def _hash(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()


def _built(directory: Path, *lines: bytes, least_count: int = 1) -> Path:
    target = directory / "filter"
    build_filter(lines, target, least_count)
    return target


def _run(*words: str, typed: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["passwords", *words], input=typed)


@given(st.lists(st.text(min_size=1, max_size=20).map(str.strip).filter(str.isprintable).filter(bool), min_size=1))
def test_each_password_of_a_list_is_found_and_hardly_any_other(
    tmp_path_factory: pytest.TempPathFactory, listed: list[str]
) -> None:
    breached = BreachedPasswords(_built(tmp_path_factory.mktemp("filter"), *(f"{each}\n".encode() for each in listed)))
    assert len(breached) == len(set(listed))
    assert all(each in breached for each in listed)
    assert [each for each in (f"other {number}" for number in range(100)) if each in breached] == []


def test_hashes_are_read_as_have_i_been_pwned_has_them(tmp_path: Path) -> None:
    lines = [f"{_hash('often').upper()}:120\r\n".encode(), f"{_hash('once')}:1\r\n".encode(), _hash("bare").encode()]
    breached = BreachedPasswords(_built(tmp_path, *lines, least_count=2))
    assert [each in breached for each in ("often", "once", "bare")] == [True, False, True]


def test_a_breached_password_and_an_own_word_are_refused(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("\ufeffLighthouse Ltd\n\nGrüne Allee\n", encoding="utf-8")
    policy = load_policy("Front Door", words, _built(tmp_path, *LIST.splitlines(keepends=True)))
    for password, weakness in (
        (BREACHED, Weakness.BREACHED),
        ("my LIGHT-house-ltd 7", Weakness.FORBIDDEN),
        ("in der gru\u0308nen Allee 4", None),
        ("in der gru\u0308ne allee 4", Weakness.FORBIDDEN),
        ("it is front door 12", Weakness.NAMED),
        ("wet paint, dry humour", None),
    ):
        assert policy.find_weakness(password, "alex") is weakness, password


@pytest.mark.parametrize("content", [b"abc\n", b"\xff\xfe"], ids=["short word", "no UTF-8"])
def test_words_that_cannot_be_used_are_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "words").write_bytes(content)
    with pytest.raises(ValueError, match="words"):
        load_policy("Front Door", tmp_path / "words", None)


@pytest.mark.parametrize("at", [0, 40, 600_000, -40, -1], ids=["magic", "index", "checksums", "digest", "entry"])
def test_a_damaged_filter_is_refused(tmp_path: Path, at: int) -> None:
    target = _built(tmp_path, f"{BREACHED}\n".encode())
    content = bytearray(target.read_bytes())
    content[at] ^= 1
    target.write_bytes(content)
    with pytest.raises(FilterError, match=r"damaged|no filter"):
        _ = BREACHED in BreachedPasswords(target)
    assert _run("check", str(target)).exit_code == 1


@pytest.mark.parametrize("length", [0, 10, 1000, -1])
def test_a_filter_that_is_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    target = _built(tmp_path, f"{BREACHED}\n".encode())
    target.write_bytes(target.read_bytes()[:length])
    with pytest.raises(FilterError, match="make it anew"):
        BreachedPasswords(target)


@pytest.mark.parametrize(("lines", "why"), [((), "no entry"), ((b"x" * (LONGEST_LINE + 1),), "more than 4096 bytes")])
def test_a_list_that_is_none_makes_no_filter(tmp_path: Path, lines: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(FilterError, match=why):
        _built(tmp_path, *lines)
    assert list(tmp_path.iterdir()) == []


def test_the_command_builds_and_checks_a_filter(tmp_path: Path) -> None:
    target = tmp_path / "filter"
    built = _run("build", "-", str(target), typed=LIST)
    assert (built.exit_code, "has 2 passwords" in built.stdout) == (0, True), built.output
    checked = _run("check", str(target))
    assert (checked.exit_code, "is whole" in checked.stdout) == (0, True)


def test_a_file_that_cannot_be_read_or_written_is_one_line(tmp_path: Path) -> None:
    for words in (
        ("build", str(tmp_path / "missing"), str(tmp_path / "filter")),
        ("build", "-", str(tmp_path / "missing" / "filter")),
        ("check", str(tmp_path / "missing")),
        ("check", str(tmp_path)),
    ):
        result = _run(*words, typed=LIST)
        assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1), result.output
