"""Provisioning creates missing topics, reports them, and rejects topics that do not match."""

import pytest

from operations import deployment as names
from operations.topics import TopicsError, apply_topics, topic_settings
from schemas.topics import AUTH_CHALLENGE
from services.login.tables import ACCOUNTS as ACCOUNTS_TABLE
from tests.broker import PARTITIONS


async def test_provisioning_makes_every_topic_once(kafka: str, topics: str) -> None:
    """A second run on the same Kafka finds all topics."""
    again = await apply_topics(kafka, topics, PARTITIONS, replication=1)

    assert again.created == ()
    assert set(again.present) == {topics + topic.name for topic in names.ALL}


async def test_another_partition_count_is_refused(kafka: str, topics: str) -> None:
    """Faust needs the same number for all topics of a table."""
    with pytest.raises(TopicsError, match=rf"has {PARTITIONS} partitions instead of {PARTITIONS + 1}"):
        await apply_topics(kafka, topics, PARTITIONS + 1, replication=1)


async def test_a_replication_that_kafka_cannot_give_is_refused(kafka: str, topic_prefix: str) -> None:
    """One broker cannot keep two copies; the text says so in Kafka's own words."""
    with pytest.raises(TopicsError, match=r"could not be created: .*replication"):
        await apply_topics(kafka, topic_prefix, PARTITIONS, replication=2)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_write_counts_on_a_second_broker_where_one_may_be_lost(replication: int, in_sync: str) -> None:
    """With three copies one broker can be away and acknowledged records are still safe on two."""
    assert topic_settings(AUTH_CHALLENGE, replication)["min.insync.replicas"] == in_sync


def test_changelogs_are_compacted_and_events_expire() -> None:
    """A table must be readable for ever, an event only for as long as its topic says."""
    changelog = topic_settings(ACCOUNTS_TABLE.changelog, 1)
    event = topic_settings(AUTH_CHALLENGE, 1)

    assert changelog["cleanup.policy"] == "compact"
    assert "retention.ms" not in changelog
    assert (event["cleanup.policy"], event["retention.ms"]) == ("delete", "604800000")
