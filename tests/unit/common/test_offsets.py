"""The offset tracker: what it commits is never above a record that is open, and all the way in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.streams.offsets import OffsetTracker

GAPS = st.lists(st.integers(1, 4), max_size=30)
"""The distances between offsets; over one where a transaction left a marker."""


def test_tracker_without_records_commits_nothing() -> None:
    tracker = OffsetTracker()
    assert (tracker.committable, tracker.open, tracker.distance) == (None, 0, 0)


def test_tracker_commits_the_lowest_open_record_though_later_ones_are_done() -> None:
    tracker = OffsetTracker()
    for offset in (37, 38, 39):
        tracker.take(offset)
    tracker.finish(38)
    tracker.finish(39)
    assert (tracker.committable, tracker.open, tracker.distance) == (37, 1, 3)
    tracker.finish(37)
    assert (tracker.committable, tracker.open, tracker.distance) == (40, 0, 0)


def test_tracker_that_begins_behind_finished_records_commits_their_end() -> None:
    tracker = OffsetTracker()
    tracker.begin(13)
    assert (tracker.committable, tracker.open, tracker.distance) == (13, 0, 0)
    tracker.take(20)
    assert tracker.committable == 20


def test_record_that_comes_after_a_later_one_is_an_error() -> None:
    tracker = OffsetTracker()
    tracker.take(7)
    for offset in (6, 7):
        with pytest.raises(ValueError, match=f"offset {offset} comes after 7"):
            tracker.take(offset)


@given(st.integers(0, 5), GAPS, st.data())
def test_tracker_never_commits_above_what_is_open_and_all_in_the_end(
    first: int, gaps: list[int], data: st.DataObject
) -> None:
    """Over several assignments, each of which begins at what the one before it has committed."""
    offsets = [first]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    committed, done = first, set[int]()
    while True:
        tracker, taken = OffsetTracker(), [each for each in offsets if each >= committed]
        waiting, unfinished = list(taken), list[int]()
        for _ in range(data.draw(st.integers(0, 2 * len(taken)), "steps of this assignment")):
            if waiting and (not unfinished or data.draw(st.booleans(), "takes another")):
                unfinished.append(waiting.pop(0))
                tracker.take(unfinished[-1])
            elif unfinished:
                each = data.draw(st.sampled_from(unfinished), "done")
                unfinished.remove(each)
                done.add(each)
                tracker.finish(each)
            if tracker.committable is not None:
                assert tracker.committable >= committed, "a commit takes an offset back"
                committed = tracker.committable
            assert done.issuperset(each for each in offsets if each < committed), "a record was passed over"
            assert tracker.open == len(unfinished)
        if not data.draw(st.booleans(), "another assignment follows"):
            break
    tracker = OffsetTracker()
    rest = [each for each in offsets if each >= committed]
    for each in rest:
        tracker.take(each)
    for each in data.draw(st.permutations(rest)):
        tracker.finish(each)
    assert tracker.committable == (offsets[-1] + 1 if rest else None)
