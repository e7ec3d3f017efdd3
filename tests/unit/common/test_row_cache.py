"""The cache of decoded rows: a row is decoded once, never mistaken for another, and the cache is bounded."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from services.common.decisions import Row
from services.common.rows.codec import RowCache, write_row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named(Row):
    name: str = ""


ALEX = _Named(version=1, name="Alex")
KIM = _Named(version=2, name="Kim")


def test_a_row_is_decoded_once() -> None:
    cache = RowCache(_Named)
    first = cache.read(b"alex", write_row(ALEX))
    assert first == ALEX
    assert cache.read(b"alex", write_row(ALEX)) is first


def test_a_row_that_was_written_is_not_decoded() -> None:
    cache = RowCache(_Named)
    value = cache.write(b"alex", ALEX)
    assert cache.read(b"alex", value) is ALEX


def test_another_value_of_the_key_is_another_row() -> None:
    cache = RowCache(_Named)
    cache.write(b"alex", ALEX)
    assert cache.read(b"alex", write_row(KIM)) == KIM
    assert cache.read(b"alex", write_row(ALEX)) == ALEX


def test_a_value_that_cannot_be_decoded_leaves_the_row_before_it() -> None:
    cache = RowCache(_Named)
    value = cache.write(b"alex", ALEX)
    with pytest.raises(ValidationError):
        cache.read(b"alex", b"{}]")
    assert cache.read(b"alex", value) is ALEX


def test_the_rows_that_were_used_last_are_kept() -> None:
    cache = RowCache(_Named, most=2)
    alex, kim = cache.write(b"alex", ALEX), cache.write(b"kim", KIM)
    cache.read(b"alex", alex)
    cache.write(b"lee", KIM)
    assert cache.read(b"alex", alex) is ALEX
    assert cache.read(b"kim", kim) is not KIM
