"""A repartition moves exactly the rows in wrong partitions, and is idempotent."""

from collections.abc import Iterable

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from operations.repartition.changelog_rows import ChangelogRows, RowCopy, RowPlacement, locate
from services.common.kafka.partitions import partition_of
from services.common.rows.stamps import TOMBSTONE_HEADER
from tests.builders import a_stamped_row

KEY = b"alex"
OLD, NEW = partition_of(KEY, 4), partition_of(KEY, 7)


def a_record(
    partition: int, value: bytes | None, key: bytes = KEY, headers: Iterable[tuple[str, bytes]] = ()
) -> ConsumerRecord:
    """Make a changelog record."""
    size = len(value or b"")
    return ConsumerRecord("changelog", partition, 0, 0, 0, key, value, None, len(key), size, tuple(headers))


def placed(*records: ConsumerRecord, partitions: int = 7) -> list[RowPlacement]:
    """Return the placements of rows after these records."""
    with ChangelogRows() as rows:
        for record in records:
            rows.apply(record)
        return list(rows.placements(partitions))


def test_the_key_of_these_tests_moves() -> None:
    assert OLD != NEW


def test_a_row_moves_unchanged_to_its_new_partition() -> None:
    row = a_stamped_row(3, 8)
    assert placed(a_record(OLD, a_stamped_row(3, 7)), a_record(OLD, row)) == [
        RowPlacement(KEY, row, NEW, in_target=False, leftovers=(OLD,))
    ]


def test_a_row_in_its_partition_stays() -> None:
    row = a_stamped_row(3, 8)
    assert placed(a_record(OLD, row), partitions=4) == [RowPlacement(KEY, row, OLD, in_target=True, leftovers=())]


def test_an_interrupted_move_only_deletes_the_old_copy() -> None:
    row = a_stamped_row(3, 8)
    assert placed(a_record(NEW, row), a_record(OLD, row)) == [
        RowPlacement(KEY, row, NEW, in_target=True, leftovers=(OLD,))
    ]


def test_the_newest_row_moves_from_any_partition() -> None:
    newest = a_stamped_row(4, 1)
    found = placed(a_record(NEW, a_stamped_row(3, 9)), a_record(OLD, newest), a_record(5, a_stamped_row(2, 2)))
    assert found == [RowPlacement(KEY, newest, NEW, in_target=False, leftovers=tuple(sorted({OLD, 5} - {NEW})))]


def test_a_stale_record_after_the_newest_row_does_not_move() -> None:
    newest = a_stamped_row(4, 1)
    assert placed(a_record(OLD, newest), a_record(OLD, a_stamped_row(3, 99)))[0].value == newest


def test_only_a_current_tombstone_deletes_a_row() -> None:
    row, stale = a_stamped_row(4, 2), [(TOMBSTONE_HEADER, b'{"epoch":4,"version":1}')]
    assert placed(a_record(OLD, row), a_record(OLD, None, headers=stale))[0].value == row
    assert placed(a_record(OLD, row), a_record(OLD, None)) == []


@given(
    partitions=st.integers(1, 12),
    keys=st.dictionaries(
        st.binary(min_size=1, max_size=12),
        st.dictionaries(st.integers(0, 11), st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4),
        max_size=6,
    ),
)
def test_a_repartition_leaves_each_row_only_in_its_partition(
    partitions: int, keys: dict[bytes, dict[int, tuple[int, int]]]
) -> None:
    records = [
        a_record(partition % partitions, a_stamped_row(*stamps), key)
        for key, copies in keys.items()
        for partition, stamps in copies.items()
    ]
    found = placed(*records, partitions=partitions)
    assert [row.key for row in found] == sorted(keys)
    moves = [a_record(row.target, row.value, row.key) for row in found if not row.in_target]
    deletions = [a_record(leftover, None, row.key) for row in found for leftover in row.leftovers]
    again = placed(*records, *moves, *deletions, partitions=partitions)
    assert [(row.key, row.value) for row in again] == [(row.key, row.value) for row in found]
    assert all(row.in_target and not row.leftovers for row in again)


def test_a_row_is_not_in_a_repr() -> None:
    secret = a_stamped_row(1, 1, text="password hash")
    assert "hash" not in repr(locate(KEY, [RowCopy(OLD, secret)], 7)) + repr(RowCopy(OLD, secret))
