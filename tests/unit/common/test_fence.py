"""The fence: which records of a changelog partition count, for whoever reads them, in whatever pieces."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.simulation.broker import SimulatedRecord, compacted
from services.common.rows.changelog import Changes, PartitionState, VoidRecord, adopt, lost_to_compaction, read_records
from services.common.rows.fence import Fence, Stamp, mark, mark_key, stamp_of

A, B = "A" * 22, "B" * 22
KEYS = (b"k1", b"k2", b"k3")


def a_record(offset: int, key: bytes | None, value: bytes | None, stamp: Stamp | None, at: int = 0) -> SimulatedRecord:
    return SimulatedRecord("rows", 0, offset, at, key, value, [] if stamp is None else [stamp.header()])


def a_mark(offset: int, stamp: Stamp, at: int = 0) -> SimulatedRecord:
    return a_record(offset, *mark(stamp), stamp, at)


def read(*records: SimulatedRecord, state: PartitionState | None = None) -> Changes:
    return read_records(state or PartitionState(), 0, 1, records)


def test_stamp_comes_back_from_its_header() -> None:
    stamp = Stamp(41, A)
    assert stamp_of([("other", b"x"), stamp.header()]) == stamp


@pytest.mark.parametrize("value", [b"", b"0 " + A.encode(), b"1 short", b"-1 " + A.encode(), b"1  " + A.encode(), None])
def test_header_that_no_owner_writes_is_no_stamp(value: bytes | None) -> None:
    assert stamp_of([("stamp", value)]) is None


def test_last_row_of_the_owner_that_stands_counts() -> None:
    stamp = Stamp(1, A)
    changes = read(a_mark(0, stamp), a_record(1, b"k", b"old", stamp), a_record(2, b"k", b"new", stamp, at=7))
    assert (changes.rows, changes.state) == ({b"k": b"new"}, PartitionState(3, Fence(1, A), last_at=7))


def test_record_of_an_owner_that_was_replaced_is_void() -> None:
    first, second = Stamp(1, A), Stamp(2, B)
    changes = read(
        a_mark(0, first),
        a_record(1, b"k", b"good", first),
        a_mark(2, second),
        a_record(3, b"k", b"late", first),
        a_record(4, b"k2", None, first),
    )
    assert changes.rows == {b"k": b"good"}
    assert {key: void and void.value for key, void in changes.void.items()} == {b"k": b"late", b"k2": None}
    assert [judged.counts for judged in changes.judged] == [True, True, True, False, False]
    assert changes.state.fence == Fence(2, B)


@pytest.mark.parametrize(("first", "second"), [(A, B), (B, A)])
def test_first_of_two_owners_of_one_term_stands(first: str, second: str) -> None:
    one, other = Stamp(7, first), Stamp(7, second)
    records = [a_mark(0, one), a_mark(1, other), a_record(2, b"k", b"x", other), a_record(3, b"k", b"y", one)]
    assert read(*records).rows == {b"k": b"y"}


def test_row_of_a_higher_term_stands_as_its_own_mark() -> None:
    records = [a_mark(0, Stamp(5, A)), a_record(1, b"k", b"x", Stamp(6, B)), a_record(2, b"k", b"y", Stamp(5, A))]
    assert read(*records).rows == {b"k": b"x"}


def test_tombstone_by_hand_deletes_and_a_row_by_hand_does_not_count() -> None:
    stamp = Stamp(1, A)
    records = [a_record(0, b"k", b"x", stamp), a_record(1, b"k2", b"y", stamp)]
    changes = read(*records, a_record(2, b"k", None, None), a_record(3, b"k2", b"z", None))
    assert changes.rows == {b"k": None, b"k2": b"y"}


def test_mark_is_noted_with_its_time_until_it_is_removed() -> None:
    first, second = Stamp(1, A), Stamp(2, B)
    assert read(a_mark(0, first, at=5), a_mark(1, second, at=9)).marks == {mark_key(A): 5, mark_key(B): 9}
    changes = read(a_mark(0, first), a_mark(1, second), a_record(2, mark_key(A), None, second))
    assert (changes.marks[mark_key(A)], changes.state.fence, changes.rows) == (None, Fence(2, B), {})


def test_removed_mark_still_stands_for_those_who_read_it() -> None:
    changes = read(a_mark(0, Stamp(3, A)), a_record(1, mark_key(A), None, None))
    assert changes.state.fence == Fence(3, A)


def test_row_that_counts_takes_the_void_record_before_it_away() -> None:
    stamp = Stamp(2, A)
    changes = read(a_mark(0, stamp), a_record(1, b"k", b"late", Stamp(1, B)), a_record(2, b"k", b"x", stamp))
    assert changes.void == {b"k": None}


def test_record_in_another_partition_than_its_keys_means_nothing() -> None:
    record = a_record(0, b"k", b"x", Stamp(1, A))
    homes = [each for each in range(8) if read_records(PartitionState(), each, 8, [record]).rows]
    assert len(homes) == 1


@pytest.mark.parametrize("key", [None, b"", b"\xff", b"\0other"])
def test_record_whose_key_is_no_rows_means_nothing(key: bytes | None) -> None:
    changes = read(a_record(0, key, b"x", Stamp(1, A)))
    assert (changes.rows, changes.void, changes.judged) == ({}, {}, [])


def test_void_row_counts_for_want_of_another_once_it_is_older_than_the_compaction_lag() -> None:
    changes = read(
        a_mark(0, Stamp(2, A)),
        a_record(1, b"old", b"x", Stamp(1, B), at=1_000),
        a_record(2, b"young", b"x", Stamp(1, B), at=9_000),
        a_record(3, b"deleted", None, Stamp(1, B), at=1_000),
        a_record(4, b"kept", b"x", Stamp(1, B), at=1_000),
    )
    void = {key: record for key, record in changes.void.items() if record is not None}
    lost = lost_to_compaction(void, lambda key: key == b"kept", at=10_000, compaction_lag=5_000)
    adopted = adopt(changes.state, lost)
    assert (adopted.rows, adopted.void, adopted.state) == ({b"old": b"x"}, {b"old": void[b"old"]}, changes.state)


STAMPS = st.builds(Stamp, st.integers(1, 4), st.sampled_from([A, B]))
RECORDS = st.lists(
    st.tuples(st.sampled_from([*KEYS, b""]), st.none() | st.binary(min_size=1, max_size=2), STAMPS | st.none()),
    min_size=1,
    max_size=30,
)
"""Keys, values and stamps; an empty key is for a mark."""


@given(RECORDS, st.data())
def test_log_reads_the_same_in_any_pieces(
    raw: list[tuple[bytes, bytes | None, Stamp | None]], data: st.DataObject
) -> None:
    log = [
        a_mark(offset, stamp) if not key and stamp else a_record(offset, key, value, stamp)
        for offset, (key, value, stamp) in enumerate(raw)
    ]
    whole = read(*log)
    cut = data.draw(st.integers(0, len(log)))
    state, rows, void = PartitionState(), dict[bytes, bytes | None](), dict[bytes, VoidRecord | None]()
    for batch in (log[:cut], log[cut:]):
        if batch:
            part = read(*batch, state=state)
            state = part.state
            rows.update(part.rows)
            void.update(part.void)
    assert (state, rows, void) == (whole.state, whole.rows, whole.void)


@dataclass
class History:
    """A partition that owners have written one after the other, those that were replaced as well."""

    log: list[SimulatedRecord] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)

    def append(self, key: bytes, value: bytes | None, stamp: Stamp) -> None:
        """Append a record."""
        self.log.append(a_record(len(self.log), key, value, stamp))

    def begin(self) -> None:
        """Let another owner begin."""
        stamp = self.now.state.fence.next_stamp(f"{len(self.stamps):022}")
        self.stamps.append(stamp)
        self.append(*mark(stamp), stamp)

    @property
    def now(self) -> Changes:
        """What one knows who has read all of it."""
        return read(*self.log) if self.log else Changes(PartitionState(), {}, {})

    def heal(self) -> None:
        """Let the owner that stands write what void records hide, then remove the marks of the others."""
        now = self.now
        for key, void in now.void.items():
            if void is not None:
                self.append(key, now.rows.get(key), self.stamps[-1])
        for key, at in now.marks.items():
            if at is not None and key != mark_key(self.stamps[-1].owner):
                self.append(key, None, self.stamps[-1])


def without_tombstones(records: Sequence[SimulatedRecord], end: int) -> list[SimulatedRecord]:
    """Return what compaction leaves up to an offset once the topic's delete retention is over as well."""
    return [each for each in records if each.value is not None or each.offset >= end]


@given(st.data())
def test_compacted_log_reads_the_same_from_its_beginning_once_it_is_healed(data: st.DataObject) -> None:
    """Whatever owners write that were replaced, and whichever records compaction removes."""
    history = History()
    history.begin()
    for _ in range(data.draw(st.integers(0, 15), "steps")):
        match data.draw(st.sampled_from(["begin", "write", "write", "write", "heal"]), "step"):
            case "begin":
                history.begin()
            case "heal":
                history.heal()
            case _:
                value = data.draw(st.none() | st.sampled_from([b"x", b"y"]), "value")
                history.append(
                    data.draw(st.sampled_from(KEYS), "key"), value, data.draw(st.sampled_from(history.stamps), "writer")
                )
    history.heal()
    end = data.draw(st.integers(0, len(history.log)), "compacted up to")
    kept = compacted(history.log, end)
    if data.draw(st.booleans(), "tombstones are gone as well"):
        kept = without_tombstones(kept, end)
    fresh, along = read(*kept), history.now
    assert fresh.state.fence == along.state.fence
    assert {key: row for key, row in fresh.rows.items() if row is not None} == {
        key: row for key, row in along.rows.items() if row is not None
    }
