"""Fencing: which records of a changelog partition count."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.rows.changelog import LogRecord, PartitionState, lost_to_compaction, read_records
from services.common.rows.fence import Fence, Stamp, mark_key, stamp_of

A, B = "A" * 22, "B" * 22
PARTITIONS = 1


def a_record(offset: int, key: bytes, value: bytes | None, stamp: Stamp | None, at: int = 0) -> LogRecord:
    return LogRecord(offset, at, key, value, () if stamp is None else (stamp.header(),))


def a_mark(offset: int, stamp: Stamp) -> LogRecord:
    return a_record(offset, mark_key(stamp.owner), b"{}", stamp)


def read(*records: LogRecord, state: PartitionState | None = None) -> dict[bytes, bytes | None]:
    return dict(read_records(state or PartitionState(), 0, PARTITIONS, records).rows)


def test_a_stamp_comes_back_from_its_header() -> None:
    stamp = Stamp(41, A)
    assert stamp_of([("other", b"x"), stamp.header()]) == stamp


def test_what_no_owner_writes_is_no_stamp() -> None:
    for value in (b"", b"0 " + A.encode(), b"1 short", b"-1 " + A.encode(), b"1  " + A.encode(), None):
        assert stamp_of([("stamp", value)]) is None


def test_the_last_row_of_the_owner_that_stands_counts() -> None:
    stamp = Stamp(1, A)
    records = [a_mark(0, stamp), a_record(1, b"k", b"old", stamp), a_record(2, b"k", b"new", stamp)]
    assert read(*records) == {b"k": b"new"}


def test_what_an_owner_writes_after_the_next_one_has_begun_is_void() -> None:
    first, second = Stamp(1, A), Stamp(2, B)
    changes = read_records(
        PartitionState(), 0, PARTITIONS,
        [
            a_mark(0, first),
            a_record(1, b"k", b"good", first),
            a_mark(2, second),
            a_record(3, b"k", b"late", first),
            a_record(4, b"k2", None, first),
        ],
    )  # fmt: skip
    assert changes.rows == {b"k": b"good"}
    assert {key for key, void in changes.void.items() if void is not None} == {b"k", b"k2"}
    assert changes.void_records == 2
    assert changes.state == PartitionState(5, Fence(2, B))


def test_of_two_owners_that_begin_one_term_the_first_in_the_log_stands() -> None:
    for first, second in ((A, B), (B, A)):
        one, other = Stamp(7, first), Stamp(7, second)
        records = [a_mark(0, one), a_mark(1, other), a_record(2, b"k", b"x", other), a_record(3, b"k", b"y", one)]
        assert read(*records) == {b"k": b"y"}


def test_a_row_of_a_higher_term_stands_as_its_own_mark() -> None:
    lost_mark = Stamp(6, B)
    records = [a_mark(0, Stamp(5, A)), a_record(1, b"k", b"x", lost_mark), a_record(2, b"k", b"y", Stamp(5, A))]
    assert read(*records) == {b"k": b"x"}


def test_a_tombstone_by_hand_deletes_and_a_row_by_hand_does_not_count() -> None:
    stamp = Stamp(1, A)
    records = [a_record(0, b"k", b"x", stamp), a_record(1, b"k2", b"y", stamp)]
    assert read(*records, a_record(2, b"k", None, None), a_record(3, b"k2", b"z", None)) == {b"k": None, b"k2": b"y"}


def test_a_removed_mark_still_stands_for_those_who_read_it() -> None:
    stamp = Stamp(3, A)
    removed = LogRecord(1, 0, mark_key(A), None, (Stamp(4, B).header(),))
    changes = read_records(PartitionState(), 0, PARTITIONS, [a_mark(0, stamp), removed])
    assert changes.state.fence == Fence(3, A)


def test_a_row_that_counts_takes_the_void_one_before_it_away() -> None:
    stamp = Stamp(2, A)
    records = [a_mark(0, stamp), a_record(1, b"k", b"late", Stamp(1, B)), a_record(2, b"k", b"x", stamp)]
    assert read_records(PartitionState(), 0, PARTITIONS, records).void == {b"k": None}


def test_what_lies_in_another_partition_than_its_keys_means_nothing() -> None:
    record = a_record(0, b"k", b"x", Stamp(1, A))
    homes = [p for p in range(8) if read_records(PartitionState(), p, 8, [record]).rows]
    assert len(homes) == 1


def test_only_a_void_row_older_than_the_compaction_lag_may_count_for_want_of_another() -> None:
    void = {
        key: record
        for key, record in read_records(
            PartitionState(), 0, PARTITIONS,
            [
                a_mark(0, Stamp(2, A)),
                a_record(1, b"old", b"x", Stamp(1, B), at=1_000),
                a_record(2, b"young", b"x", Stamp(1, B), at=9_000),
                a_record(3, b"deleted", None, Stamp(1, B), at=1_000),
                a_record(4, b"kept", b"x", Stamp(1, B), at=1_000),
            ],
        ).void.items()
        if record is not None
    }  # fmt: skip
    assert set(lost_to_compaction(void, lambda key: key == b"kept", at=10_000, compaction_lag=5_000)) == {b"old"}


stamps = st.builds(Stamp, st.integers(1, 4), st.sampled_from([A, B]))
records = st.lists(
    st.tuples(st.sampled_from([b"k1", b"k2", b""]), st.none() | st.binary(min_size=1, max_size=2), stamps | st.none()),
    min_size=1,
    max_size=30,
)


@given(records, st.data())
def test_any_split_into_batches_reads_the_same(
    raw: list[tuple[bytes, bytes | None, Stamp | None]], data: st.DataObject
) -> None:
    log = [
        a_mark(offset, stamp) if not key and stamp else a_record(offset, key, value, stamp)
        for offset, (key, value, stamp) in enumerate(raw)
    ]
    whole = read_records(PartitionState(), 0, PARTITIONS, log)
    cut = data.draw(st.integers(0, len(log)))
    state, rows, void = PartitionState(), dict[bytes, bytes | None](), {}
    for batch in (log[:cut], log[cut:]):
        if batch:
            part = read_records(state, 0, PARTITIONS, batch)
            state = part.state
            rows.update(part.rows)
            void.update(part.void)
    assert (state, rows, void) == (whole.state, whole.rows, whole.void)
    terms = [
        offset for offset, (_key, _value, stamp) in enumerate(raw) if stamp and stamp.term == whole.state.fence.term
    ]
    assert (
        not terms or raw[terms[0]][2] == Stamp(whole.state.fence.term, whole.state.fence.owner) or not raw[terms[0]][0]
    )
