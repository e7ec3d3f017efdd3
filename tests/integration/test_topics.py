"""Provisioning creates missing topics, and rejects topics that do not match; `topics check` reports them."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner, Result

from cli.__main__ import app
from operations import deployment as names
from operations.topics import TopicsError, apply_topics, await_leaders, differences
from schemas.topics import AUTH_CHALLENGE, DAY_SECONDS
from services.common.kafka.connection import KafkaConnection
from services.common.kafka.topic_settings import creation_settings
from services.login.tables import ACCOUNTS as ACCOUNTS_TABLE
from tests.broker import PARTITIONS


async def test_provisioning_makes_every_topic_once(kafka: str, topics: str) -> None:
    """A second run on the same Kafka finds all topics."""
    again = await apply_topics(KafkaConnection(kafka), topics, PARTITIONS, replication=1)

    assert again.created == ()
    assert set(again.present) == {topics + topic.name for topic in names.ALL}


async def test_another_partition_count_is_refused(kafka: str, topics: str) -> None:
    """All topics of a table need the same number."""
    with pytest.raises(TopicsError, match=rf"has {PARTITIONS} partitions instead of {PARTITIONS + 1}"):
        await apply_topics(KafkaConnection(kafka), topics, PARTITIONS + 1, replication=1)


async def test_a_replication_that_kafka_cannot_give_is_refused(kafka: str, topic_prefix: str) -> None:
    """One broker cannot keep two copies; the text says so in Kafka's own words."""
    with pytest.raises(TopicsError, match=r"could not be created: .*replication"):
        await apply_topics(KafkaConnection(kafka), topic_prefix, PARTITIONS, replication=2)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_a_write_counts_on_a_second_broker_where_one_may_be_lost(replication: int, in_sync: str) -> None:
    """With three copies one broker can be away and acknowledged records are still safe on two."""
    assert creation_settings(AUTH_CHALLENGE, replication)["min.insync.replicas"] == in_sync


def test_changelogs_are_compacted_and_events_expire() -> None:
    """A table must be readable for ever, an event only for as long as its topic says."""
    changelog = creation_settings(ACCOUNTS_TABLE.changelog, 1)
    event = creation_settings(AUTH_CHALLENGE, 1)

    assert changelog["cleanup.policy"] == "compact"
    assert "retention.ms" not in changelog
    assert changelog["min.compaction.lag.ms"] == "86400000", "an owner needs time to write over a void record"
    assert (event["cleanup.policy"], event["retention.ms"]) == ("delete", "604800000")


async def run(command: str, kafka: str, prefix: str, *options: str) -> Result:
    """Run `countersign topics` in a thread, since it has its own event loop."""
    arguments = ["topics", command, "--kafka", kafka, "--topic-prefix", prefix, *options]
    return await asyncio.to_thread(CliRunner().invoke, app, arguments)


async def test_provisioned_topics_are_as_they_should_be(kafka: str, topics: str) -> None:
    result = await run("check", kafka, topics, "--partitions", str(PARTITIONS))
    assert (result.exit_code, result.output) == (0, "All topics meet the requirements.\n")
    again = await run("apply", kafka, topics, "--partitions", str(PARTITIONS))
    assert again.output == f"0 created, {len(names.ALL)} existed before.\n"


async def test_missing_topics_are_named(kafka: str, topic_prefix: str) -> None:
    result = await run("check", kafka, topic_prefix)
    assert result.exit_code == 1
    assert result.output.count("is missing") == len(names.ALL)
    assert f"{topic_prefix}auth.challenge is missing" in result.output


async def test_another_number_of_partitions_is_found(kafka: str, topics: str) -> None:
    result = await run("check", kafka, topics, "--partitions", str(PARTITIONS + 1))
    assert result.exit_code == 1
    assert f"{topics}device.paired has {PARTITIONS} partitions instead of {PARTITIONS + 1}" in result.output


async def test_topics_that_were_there_before_are_mended_or_refused(kafka: str, topic_prefix: str) -> None:
    connection = KafkaConnection(kafka)
    name, changelog = f"{topic_prefix}auth.response", f"{topic_prefix}{ACCOUNTS_TABLE.changelog.name}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics(
        [
            NewTopic(name, PARTITIONS, 1, topic_configs={"retention.ms": "1000", "compression.type": "gzip"}),
            NewTopic(changelog, PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"}),
        ]
    )
    await await_leaders(connection, [TopicPartition(each, 0) for each in (name, changelog)])
    found = await differences(connection, topic_prefix, PARTITIONS, replication=1)
    mend = f"countersign topics apply --topic-prefix {topic_prefix} --partitions {PARTITIONS} --replication 1"
    assert f"{name} has retention.ms 1000 instead of {7 * DAY_SECONDS * 1000} or more: {mend}" in found
    assert f"{changelog} has min.compaction.lag.ms 0 instead of {DAY_SECONDS * 1000} or more: {mend}" in found

    applied = await run("apply", kafka, topic_prefix, "--partitions", str(PARTITIONS))
    assert f"mended {name}: retention.ms {7 * DAY_SECONDS * 1000} instead of 1000\n" in applied.output
    assert await differences(connection, topic_prefix, PARTITIONS, replication=1) == []
    (settings,) = (await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]))[0].resources
    assert {each[0]: each[1] for each in settings[4]}["compression.type"] == "gzip", "other settings stay"

    refused = await run("apply", kafka, topic_prefix, "--partitions", str(PARTITIONS), "--replication", "3")
    assert refused.exit_code == 1
    assert "is replicated on 1 brokers instead of 3: countersign kafka reassign-partitions" in refused.output
    await admin.delete_topics([topic_prefix + topic.name for topic in names.ALL])
    await admin.close()


async def test_an_unreachable_kafka_is_reported_in_one_line() -> None:
    for command in ("apply", "check"):
        result = await run(command, "127.0.0.1:1", "")
        assert (result.exit_code, result.output.count("\n")) == (1, 1)
        assert "127.0.0.1:1" in result.output
