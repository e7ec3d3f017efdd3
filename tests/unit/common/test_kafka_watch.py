"""Kafka accepts writes as long as enough in-sync replicas of every partition respond."""

from itertools import combinations

import pytest

from services.common.kafka.kafka_watch import (
    CLEANUP_POLICY,
    COMPACTION_LAG,
    LEAST_COMPACTION_LAG,
    MIN_IN_SYNC,
    TopicMetadata,
)

NAMES = ("accounts", "answers")


def topics(*in_sync: set[int], min_in_sync: int = 2) -> TopicMetadata:
    """Return a topic with a partition for each set of in-sync replicas, and a healthy topic."""
    partitions = {number: frozenset(brokers) for number, brokers in enumerate(in_sync)}
    safe = {0: frozenset({1, 2, 3, 4, 5})}
    return TopicMetadata(
        {NAMES[0]: partitions, NAMES[1]: safe, "others": {0: frozenset()}},
        {name: {MIN_IN_SYNC: str(min_in_sync)} for name in NAMES},
    )


def test_one_broker_of_three_may_be_silent_and_no_two() -> None:
    full = topics({1, 2, 3}, {2, 3, 1})
    assert all(full.accepts_writes(available, NAMES) for available in combinations((1, 2, 3), 2))
    assert not any(full.accepts_writes({alone}, NAMES) for alone in (1, 2, 3))


@pytest.mark.parametrize(("available", "takes"), [({1, 2, 3}, True), ({1, 2}, True), ({1, 3}, False)])
def test_a_replica_that_is_behind_counts_for_nothing(available: set[int], takes: bool) -> None:  # noqa: FBT001 - from the table
    assert topics({1, 2, 3}, {1, 2}).accepts_writes(available, NAMES) is takes


def test_a_single_broker_is_enough_where_one_must_have_each_record() -> None:
    single = TopicMetadata({NAMES[0]: {0: frozenset({1})}}, {NAMES[0]: {MIN_IN_SYNC: "1"}})
    assert single.accepts_writes({1}, NAMES)
    assert not single.accepts_writes(set(), NAMES)


def test_a_topic_whose_setting_is_not_known_needs_one_and_one_that_is_not_there_none() -> None:
    unknown = TopicMetadata({NAMES[0]: {0: frozenset({1, 2})}}, {})
    assert unknown.accepts_writes({2}, NAMES)
    assert not unknown.accepts_writes({3}, NAMES)


def test_topics_of_others_do_not_matter() -> None:
    assert topics({1, 2}).accepts_writes({1, 2}, NAMES)
    assert topics({1}, {1, 2}).counts() == {NAMES[0]: 2, NAMES[1]: 1, "others": 1}


@pytest.mark.parametrize(
    ("configs", "sentence"),
    [
        ({CLEANUP_POLICY: "compact", COMPACTION_LAG: str(LEAST_COMPACTION_LAG)}, ""),
        ({}, ""),
        ({CLEANUP_POLICY: "delete", COMPACTION_LAG: "0"}, "rows has cleanup.policy delete instead of compact"),
        ({CLEANUP_POLICY: "compact,delete"}, "rows has cleanup.policy compact,delete instead of compact"),
        ({COMPACTION_LAG: "0"}, "rows has min.compaction.lag.ms 0 instead of 86400000 or more"),
    ],
)
def test_a_changelog_that_may_lose_rows_is_named(configs: dict[str, str], sentence: str) -> None:
    metadata = TopicMetadata({}, {"rows": configs, "events": {CLEANUP_POLICY: "delete"}})
    assert metadata.unsafe(["rows"]) == ([sentence] if sentence else [])
