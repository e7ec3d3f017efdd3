"""Sealed secrets open only in their context and with the ring's keys."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from protocol.encoding import decode_base64url, encode_base64url
from schemas.base import Sealed
from services.common.keys.key_rotation import add_key, key_ids, retire_key
from services.common.keys.sealing import SEALING, SealError, load_sealer

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CONTEXT = ("alex", "method-1")


def test_what_was_sealed_opens_in_its_context(tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path, "login")
    sealed = sealer.seal(SECRET, CONTEXT)
    assert sealer.open(sealed, CONTEXT) == SECRET
    assert load_sealer(tmp_path, "login").open(sealed, CONTEXT) == SECRET


@pytest.mark.parametrize(
    "context",
    [("bo", "method-1"), ("alex", "method-2"), ("method-1", "alex"), ("alex", "method-1", ""), ("alexmethod-1",), ()],
)
def test_a_sealed_text_that_was_moved_does_not_open(context: tuple[str, ...], tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path, "login")
    with pytest.raises(SealError):
        sealer.open(sealer.seal(SECRET, CONTEXT), context)


def test_what_was_sealed_fits_a_row(tmp_path: Path) -> None:
    longest = ("a" * 128, "m" * 128)
    TypeAdapter(Sealed).validate_python(load_sealer(tmp_path, "login").seal(SECRET, longest))


def test_the_same_secret_is_sealed_differently_each_time_and_shows_nowhere(tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path, "login")
    sealed = [sealer.seal(SECRET, CONTEXT) for _ in range(10)]
    assert len(set(sealed)) == 10
    for each in sealed:
        assert not any(SECRET.encode() in decode_base64url(part) for part in each.split("."))


@given(st.data())
def test_an_altered_text_does_not_open(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    sealer = load_sealer(tmp_path_factory.getbasetemp(), "altered")
    parts = [bytearray(decode_base64url(part)) for part in sealer.seal(SECRET, CONTEXT).split(".")]
    part = data.draw(st.sampled_from([part for part in parts if part]))
    part[data.draw(st.integers(0, len(part) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealError):
        sealer.open(".".join(encode_base64url(bytes(each)) for each in parts), CONTEXT)


@given(st.text(max_size=300) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){4}", fullmatch=True))
def test_any_other_text_does_not_open(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with pytest.raises(SealError):
        load_sealer(tmp_path_factory.getbasetemp(), "any").open(text, CONTEXT)


@pytest.mark.parametrize(
    "algorithms", [{"alg": "none"}, {"enc": "A128GCM"}, {"alg": "A256KW"}, {"kid": 1}, {"zip": "DEF"}]
)
def test_no_other_algorithm_is_let_in(algorithms: dict[str, object], tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path, "login")
    header, *rest = sealer.seal(SECRET, CONTEXT).split(".")
    altered = json.dumps({**json.loads(decode_base64url(header)), **algorithms}).encode()
    with pytest.raises(SealError):
        sealer.open(".".join([encode_base64url(altered), *rest]), CONTEXT)


def test_an_old_key_opens_what_it_sealed_until_it_is_retired(tmp_path: Path) -> None:
    sealed = load_sealer(tmp_path, "login").seal(SECRET, CONTEXT)
    add_key(tmp_path, "login", SEALING, active=True)
    rotated = load_sealer(tmp_path, "login")
    assert rotated.open(sealed, CONTEXT) == SECRET
    renewed = rotated.seal(SECRET, CONTEXT)
    retire_key(tmp_path, "login", SEALING, key_ids(tmp_path, "login", SEALING)[1])
    retired = load_sealer(tmp_path, "login")
    assert retired.open(renewed, CONTEXT) == SECRET
    with pytest.raises(SealError, match="retired"):
        retired.open(sealed, CONTEXT)


def test_an_instance_that_was_not_restarted_opens_what_a_newer_one_sealed(tmp_path: Path) -> None:
    older = load_sealer(tmp_path, "login")
    add_key(tmp_path, "login", SEALING, active=True)
    sealed = load_sealer(tmp_path, "login").seal(SECRET, CONTEXT)
    assert older.open(sealed, CONTEXT) == SECRET


def test_what_does_not_open_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    sealer = load_sealer(tmp_path, "login")
    with pytest.raises(SealError) as refused:
        sealer.open(sealer.seal(SECRET, CONTEXT), ("bo",))
    assert SECRET not in str(refused.value)
