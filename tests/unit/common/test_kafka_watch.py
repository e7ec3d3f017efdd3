"""Kafka takes writes as long as enough in-sync replicas of every partition answer."""

from itertools import combinations

import pytest

from services.common.kafka.kafka_watch import Topics

NAMES = ("accounts", "answers")


def topics(*in_sync: set[int], least: int = 2) -> Topics:
    """Return a topic with a partition for each set of in-sync replicas, and one that is in no danger."""
    partitions = {number: frozenset(brokers) for number, brokers in enumerate(in_sync)}
    safe = {0: frozenset({1, 2, 3, 4, 5})}
    return Topics({NAMES[0]: partitions, NAMES[1]: safe, "others": {0: frozenset()}}, dict.fromkeys(NAMES, least))


def test_one_broker_of_three_may_be_silent_and_no_two() -> None:
    full = topics({1, 2, 3}, {2, 3, 1})
    assert all(full.takes_writes(there, NAMES) for there in combinations((1, 2, 3), 2))
    assert not any(full.takes_writes({alone}, NAMES) for alone in (1, 2, 3))


@pytest.mark.parametrize(("there", "takes"), [({1, 2, 3}, True), ({1, 2}, True), ({1, 3}, False)])
def test_a_replica_that_is_behind_counts_for_nothing(there: set[int], takes: bool) -> None:  # noqa: FBT001 - from the table
    assert topics({1, 2, 3}, {1, 2}).takes_writes(there, NAMES) is takes


def test_a_single_broker_is_enough_where_one_must_have_each_record() -> None:
    single = Topics({NAMES[0]: {0: frozenset({1})}}, {NAMES[0]: 1})
    assert single.takes_writes({1}, NAMES)
    assert not single.takes_writes(set(), NAMES)


def test_a_topic_whose_setting_is_not_known_needs_one_and_one_that_is_not_there_none() -> None:
    unknown = Topics({NAMES[0]: {0: frozenset({1, 2})}}, {})
    assert unknown.takes_writes({2}, NAMES)
    assert not unknown.takes_writes({3}, NAMES)


def test_topics_of_others_do_not_matter() -> None:
    assert topics({1, 2}).takes_writes({1, 2}, NAMES)
    assert topics({1}, {1, 2}).counts() == {NAMES[0]: 2, NAMES[1]: 1, "others": 1}
