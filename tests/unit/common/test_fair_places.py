"""Places are shared fairly: a crowd under one key keeps no other key out."""

from hypothesis import given
from hypothesis import strategies as st

from services.common.fair_places import FairPlaces


def _added(places: FairPlaces[int], *keys: str) -> list[int | None]:
    return [places.add(key, number) for number, key in enumerate(keys, start=1)]


def test_a_key_keeps_its_newest() -> None:
    places = FairPlaces[int](10, 2)
    assert _added(places, "a", "a", "b", "a") == [None, None, None, 1]
    assert (places.count, places.count_of("a"), places.count_of("b")) == (3, 2, 1)


def test_the_crowd_makes_room_for_a_newcomer() -> None:
    places = FairPlaces[int](3, 3)
    assert _added(places, "b", "a", "a", "c") == [None, None, None, 2]
    assert places.take_from_crowd() == 1


def test_keys_take_turns() -> None:
    places = FairPlaces[int](10, 10)
    _added(places, "a", "a", "a", "b", "c", "b")
    turns = [places.take_in_turn() for _ in range(7)]
    assert turns == [1, 4, 5, 2, 6, 3, None]
    assert places.take_from_crowd() is None


def test_a_key_that_may_not_is_passed_over() -> None:
    places = FairPlaces[int](10, 10)
    _added(places, "a", "b")
    assert places.take_in_turn(lambda key: key != "a") == 2
    assert places.take_in_turn(lambda key: key != "a") is None


def test_an_item_leaves_once() -> None:
    places = FairPlaces[int](10, 10)
    _added(places, "a", "a")
    for _ in range(2):
        places.remove("a", 1)
    places.remove("b", 1)
    assert (places.count, places.take_in_turn()) == (1, 2)


@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["add", "remove", "turn"])), max_size=60),
)
def test_the_bounds_hold_and_nothing_is_lost(most: int, most_each: int, steps: list[tuple[str, str]]) -> None:
    places, there = FairPlaces[int](most, most_each), dict[int, str]()
    for number, (key, step) in enumerate(steps):
        if step == "add":
            leaving = places.add(key, number)
            assert leaving not in {None, number} or leaving is None
            there[number] = key
            if leaving is not None:
                del there[leaving]
        elif step == "remove":
            first = next((each for each, its in there.items() if its == key), -1)
            places.remove(key, first)
            there.pop(first, None)
        else:
            taken = places.take_in_turn()
            assert (taken is None) == (not there)
            if taken is not None:
                del there[taken]
        assert places.count == len(there) <= most
        assert all(places.count_of(each) == list(there.values()).count(each) <= most_each for each in "abcd")
