"""A repartition moves exactly the rows in wrong partitions, and is idempotent."""

from collections.abc import Iterable

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from operations.repartition.changelog_rows import ChangelogRows, RowCopy, RowPlacement, locate
from services.common.kafka.partitions import partition_of
from services.common.rows.fence import Fence, Stamp, mark

KEY = b"alex"
FEW, MANY = 4, 7
OLD, NEW = partition_of(KEY, FEW), partition_of(KEY, MANY)
FIRST, SECOND = Stamp(1, "a" * 22), Stamp(2, "b" * 22)
COMPACTION_LAG = 1000


def a_record(
    partition: int, value: bytes | None, stamp: Stamp | None = FIRST, key: bytes = KEY, *, at: int = 0
) -> ConsumerRecord:
    """Make a changelog record."""
    headers = () if stamp is None else (stamp.header(),)
    return ConsumerRecord("changelog", partition, 0, at, 0, key, value, None, len(key), len(value or b""), headers)


def read(rows: ChangelogRows, records: Iterable[ConsumerRecord]) -> None:
    """Read records as they come from Kafka."""
    for record in records:
        rows.apply(record.partition, [record])


def placed(*records: ConsumerRecord, partitions: int = MANY, served: int = FEW, at: int = 0) -> list[RowPlacement]:
    """Return the placements of rows after these records; reading ends at a Unix time in milliseconds."""
    with ChangelogRows(12) as rows:
        read(rows, records)
        rows.restore_lost(at, COMPACTION_LAG)
        return list(rows.placements(partitions, served))


def test_the_key_of_these_tests_moves() -> None:
    assert OLD != NEW


def test_a_row_whose_target_is_another_partition_moves_as_it_is() -> None:
    assert placed(a_record(OLD, b"before"), a_record(OLD, b"row")) == [
        RowPlacement(KEY, b"row", NEW, in_target=False, leftovers=(OLD,))
    ]


def test_a_row_that_is_in_its_target_stays() -> None:
    assert placed(a_record(OLD, b"row"), partitions=FEW) == [
        RowPlacement(KEY, b"row", OLD, in_target=True, leftovers=())
    ]


def test_a_move_that_was_interrupted_before_the_old_copy_was_deleted_only_deletes_it() -> None:
    assert placed(a_record(NEW, b"row"), a_record(OLD, b"row")) == [
        RowPlacement(KEY, b"row", NEW, in_target=True, leftovers=(OLD,))
    ]


def test_the_row_that_the_services_read_moves_whatever_the_terms_of_other_partitions() -> None:
    high = Stamp(40, "c" * 22)
    found = placed(a_record(NEW, b"other", high), a_record(OLD, b"row"), a_record(5, b"third", high))
    assert found == [RowPlacement(KEY, b"row", NEW, in_target=False, leftovers=tuple(sorted({OLD, 5})))]


def test_rows_that_another_tool_left_in_former_partitions_move() -> None:
    (found,) = placed(a_record(OLD, b"row"), partitions=MANY + 2, served=MANY)
    assert (found.value, found.in_target) == (b"row", False)


def test_a_void_row_does_not_move_and_a_void_tombstone_deletes_nothing() -> None:
    row = a_record(OLD, b"row", SECOND)
    for void in (a_record(OLD, b"void", FIRST), a_record(OLD, None, FIRST), a_record(OLD, b"by hand", None)):
        assert placed(row, void, at=9 * COMPACTION_LAG)[0].value == b"row"


def test_a_tombstone_deletes_with_the_owners_stamp_or_by_hand() -> None:
    for stamp in (FIRST, SECOND, None):
        assert placed(a_record(OLD, b"row"), a_record(OLD, None, stamp)) == []


def test_a_mark_fences_and_is_no_row() -> None:
    key, value = mark(SECOND)
    assert placed(a_record(OLD, b"row"), a_record(OLD, value, SECOND, key), a_record(OLD, b"void"))[0].value == b"row"


def test_a_void_row_moves_where_compaction_has_left_nothing_else() -> None:
    key, value = mark(SECOND)
    void = [a_record(OLD, value, SECOND, key), a_record(OLD, b"void", at=500)]
    assert placed(*void, at=500 + COMPACTION_LAG) == [], "a row that counted would still be there"
    at = 501 + COMPACTION_LAG
    assert placed(*void, at=at) == [RowPlacement(KEY, b"void", NEW, in_target=False, leftovers=(OLD,))]
    (at_home,) = placed(*void, partitions=FEW, at=at)
    assert not at_home.in_target, "its record is void, so it is written once more"
    assert placed(*void, a_record(NEW, b"row"), at=at)[0].value == b"row"


def test_what_it_writes_is_stamped_by_what_stands_in_each_partition() -> None:
    with ChangelogRows(FEW) as rows:
        read(rows, [a_record(0, b"row", SECOND, b"a"), a_record(0, b"void", FIRST, b"a"), a_record(3, b"row", FIRST)])
        stands = {partition: state.fence for partition, state in rows.states.items()}
    assert stands == {0: Fence(2, "b" * 22), 1: Fence(), 2: Fence(), 3: Fence(1, "a" * 22)}


@given(
    served=st.integers(1, 12),
    partitions=st.integers(1, 12),
    keys=st.dictionaries(
        st.text("abcdefgh", min_size=1, max_size=12).map(str.encode),
        st.dictionaries(
            st.integers(0, 11), st.tuples(st.integers(1, 3), st.binary(max_size=2)), min_size=1, max_size=4
        ),
        max_size=6,
    ),
)
def test_afterwards_each_row_is_in_its_target_alone_and_nothing_is_left_to_do(
    served: int, partitions: int, keys: dict[bytes, dict[int, tuple[int, bytes]]]
) -> None:
    records = [
        a_record(partition, value, Stamp(term, "a" * 22), key)
        for key, copies in keys.items()
        for partition, (term, value) in copies.items()
    ]
    found = placed(*records, partitions=partitions, served=served)
    own = Stamp(9, "x" * 22)
    moves = [a_record(row.target, row.value, own, row.key) for row in found if not row.in_target]
    deletions = [a_record(leftover, None, own, row.key) for row in found for leftover in row.leftovers]
    again = placed(*records, *moves, *deletions, partitions=partitions, served=served)
    assert [(row.key, row.value) for row in again] == [(row.key, row.value) for row in found]
    assert all(row.in_target and not row.leftovers for row in again)


def test_a_row_is_not_in_a_representation_that_might_be_logged() -> None:
    secret = b"password hash"
    assert "hash" not in repr(locate(KEY, [RowCopy(OLD, secret)], MANY, FEW)) + repr(RowCopy(OLD, secret))
