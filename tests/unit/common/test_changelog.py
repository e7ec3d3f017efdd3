"""Fencing stamps tell which of two changelog records of a row is newer."""

import pytest

from services.common.rows.stamps import TOMBSTONE_HEADER, is_newer, stamp
from tests.builders import a_stamped_row


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"epoch":3,"version":12,"name":"x"}', (3, 12)),
        (b'{"epoch":0,"version":0}', (0, 0)),
        (b'{"name":"x","epoch":3,"version":12}', (0, 0)),
        (b'{"epoch":-1,"version":2}', (0, 0)),
        (b'{"epoch":3,"version":1.5}', (0, 0)),
        (b"", (0, 0)),
    ],
)
def test_a_stamp_is_read_from_the_first_bytes_alone(value: bytes, expected: tuple[int, int]) -> None:
    assert stamp(value) == expected


@pytest.mark.parametrize(
    ("candidate", "current", "newer"),
    [
        (a_stamped_row(1, 1), None, True),
        (a_stamped_row(1, 2), a_stamped_row(1, 1), True),
        (a_stamped_row(1, 1), a_stamped_row(1, 1), True),
        (a_stamped_row(1, 1), a_stamped_row(1, 2), False),
        (a_stamped_row(2, 1), a_stamped_row(1, 9), True),
        (a_stamped_row(1, 9), a_stamped_row(2, 1), False),
        (a_stamped_row(1, 10), a_stamped_row(1, 9), True),
    ],
)
def test_the_generation_counts_first_and_then_the_version(
    candidate: bytes, current: bytes | None, *, newer: bool
) -> None:
    assert is_newer(candidate, current) is newer


@pytest.mark.parametrize(
    ("deletes", "newer"),
    [(a_stamped_row(1, 1), False), (a_stamped_row(1, 2), True), (a_stamped_row(2, 0), True), (None, True)],
)
def test_a_tombstone_deletes_its_own_row_and_older_ones(deletes: bytes | None, *, newer: bool) -> None:
    headers = [] if deletes is None else [(TOMBSTONE_HEADER, deletes)]
    assert is_newer(None, a_stamped_row(1, 2), headers) is newer
