"""Kafka accepts writes while enough in-sync replicas respond; topics that lack or endanger something are named."""

from itertools import combinations

import pytest

from schemas.topics import AUTH_CHALLENGE, LOGIN_COMMANDS, Topic
from services.common.kafka.metadata import PartitionReplicas, TopicDescription
from services.common.kafka.topic_settings import MIN_IN_SYNC, creation_settings
from services.common.kafka.topic_watch import TopicFindings, TopicMetadata, TopicRequirements
from services.login.tables import ACCOUNTS

NAMES = ("accounts", "answers")
ALL = frozenset({1, 2, 3})
UNKNOWN_TOPIC = 3
NOT_AUTHORIZED = 29
MEND = "countersign topics apply --partitions 1 --replication 3"


def described(*in_sync: set[int], replicas: frozenset[int] = ALL, error_code: int = 0) -> TopicDescription:
    """Return a topic with a partition for each set of in-sync replicas."""
    partitions = {number: PartitionReplicas(replicas, frozenset(brokers)) for number, brokers in enumerate(in_sync)}
    return TopicDescription(error_code, "cluster/topic", partitions)


def topics(*in_sync: set[int], min_in_sync: int = 2) -> TopicMetadata:
    """Return a topic with a partition for each set of in-sync replicas, and a healthy topic."""
    return TopicMetadata(
        {NAMES[0]: described(*in_sync), NAMES[1]: described({1, 2, 3, 4, 5}), "others": described(set())},
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
    single = TopicMetadata({NAMES[0]: described({1})}, {NAMES[0]: {MIN_IN_SYNC: "1"}})
    assert single.accepts_writes({1}, NAMES)
    assert not single.accepts_writes(set(), NAMES)


def test_no_more_replicas_are_asked_for_than_there_are() -> None:
    single = TopicMetadata({NAMES[0]: described({1}, replicas=frozenset({1}))}, {NAMES[0]: {MIN_IN_SYNC: "2"}})
    assert single.accepts_writes({1}, NAMES)
    assert not single.accepts_writes(set(), NAMES)


def test_a_topic_whose_setting_is_not_known_needs_one_and_one_that_is_not_there_none() -> None:
    unknown = TopicMetadata({NAMES[0]: described({1, 2})})
    assert unknown.accepts_writes({2}, NAMES)
    assert not unknown.accepts_writes({3}, NAMES)


def test_topics_of_others_do_not_matter() -> None:
    assert topics({1, 2}).accepts_writes({1, 2}, NAMES)
    assert topics({1}, {1, 2}).counts() == {NAMES[0]: 2, NAMES[1]: 1, "others": 1}


def findings(
    topic: Topic, changed: tuple[str, str] | None = None, description: TopicDescription | None = None
) -> TopicFindings:
    """Return what is found of a topic of which one setting, by its name and value, is not the right one."""
    configs = creation_settings(topic, 3) | dict([changed] if changed else [])
    metadata = TopicMetadata({topic.name: description or described({1, 2, 3})}, {topic.name: configs})
    return metadata.findings(TopicRequirements([topic], replication=3))


@pytest.mark.parametrize("topic", [ACCOUNTS.changelog, AUTH_CHALLENGE, LOGIN_COMMANDS, AUTH_CHALLENGE.dead_letter])
def test_a_topic_as_it_is_created_is_right(topic: Topic) -> None:
    assert findings(topic) == TopicFindings()


@pytest.mark.parametrize(
    ("topic", "setting", "value", "sentence"),
    [
        (ACCOUNTS.changelog, "cleanup.policy", "delete", "cleanup.policy delete instead of compact"),
        (ACCOUNTS.changelog, "cleanup.policy", "compact,delete", "cleanup.policy compact,delete instead of compact"),
        (
            ACCOUNTS.changelog,
            "min.compaction.lag.ms",
            "0",
            "min.compaction.lag.ms 0 instead of 86400000 or more",
        ),
        (ACCOUNTS.changelog, "min.insync.replicas", "1", "min.insync.replicas 1 instead of 2 or more"),
        (ACCOUNTS.changelog, "max.message.bytes", "3000", "max.message.bytes 3000 instead of 1048588 or more"),
        (AUTH_CHALLENGE, "cleanup.policy", "compact", "cleanup.policy compact instead of delete"),
        (AUTH_CHALLENGE, "retention.ms", "1000", "retention.ms 1000 instead of 604800000 or more"),
        (AUTH_CHALLENGE, "retention.bytes", "1000", "retention.bytes 1000 instead of -1"),
        (LOGIN_COMMANDS, "retention.ms", "1000", "retention.ms 1000 instead of 86400000"),
    ],
)
def test_a_setting_that_may_lose_records_is_named_with_the_way_out(
    topic: Topic, setting: str, value: str, sentence: str
) -> None:
    found = findings(topic, (setting, value))
    assert found == TopicFindings(endangering=(f"{topic.name} has {sentence}: {MEND}",))


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        (AUTH_CHALLENGE, "message.timestamp.type", "CreateTime"),
        (ACCOUNTS.changelog, "segment.ms", "1000"),
        # Commands that are kept for longer may be carried out again.
        (LOGIN_COMMANDS, "retention.ms", "604800000"),
    ],
)
def test_a_setting_that_loses_nothing_is_only_a_difference(topic: Topic, setting: str, value: str) -> None:
    found = findings(topic, (setting, value))
    assert (found.missing, found.endangering, len(found.different)) == ((), (), 1)


@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        (AUTH_CHALLENGE, "retention.ms", "-1"),
        (AUTH_CHALLENGE, "retention.ms", "2592000000"),
        (ACCOUNTS.changelog, "min.compaction.lag.ms", "172800000"),
        (ACCOUNTS.changelog, "min.insync.replicas", "3"),
    ],
)
def test_more_than_is_needed_is_right(topic: Topic, setting: str, value: str) -> None:
    assert findings(topic, (setting, value)) == TopicFindings()


def test_fewer_replicas_than_asked_for_are_named() -> None:
    one = described({1}, replicas=frozenset({1}))
    sentence = "auth.challenge is replicated on 1 brokers instead of 3: countersign kafka reassign-partitions"
    assert findings(AUTH_CHALLENGE, None, one).endangering == (sentence,)


def test_a_missing_topic_is_named_with_the_way_out() -> None:
    found = findings(AUTH_CHALLENGE, None, described(error_code=UNKNOWN_TOPIC))
    assert found == TopicFindings(missing=(f"auth.challenge is missing: {MEND}",))


def test_a_topic_that_is_not_shown_is_named_with_the_way_out() -> None:
    (sentence,) = findings(AUTH_CHALLENGE, None, described(error_code=NOT_AUTHORIZED)).missing
    assert sentence.endswith("countersign topics acls --apply")
